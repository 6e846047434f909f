"""The pool before servers that end its sessions, or say nothing more."""

import asyncio
import os
import signal
from contextlib import suppress

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolTimeout

from app.main.local.roles import Urls
from app.platform.postgres import pool as pooling
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.pool import Pool, make_pool
from tests.platform.peers import shut

THERE = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
LIMIT_S = 120.0
READY = b"Z\x00\x00\x00\x05I"


async def backend_of(pool: Pool) -> int:
    async with pool.connection() as connection:
        return connection.info.backend_pid


async def insistently(pool: Pool) -> int:
    """The same for who asks again: the pool gives everybody a second, and a busy machine needs longer to connect."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            with suppress(PoolTimeout):
                return await backend_of(pool)


async def test_a_connection_whose_server_says_nothing_more_is_replaced(
    database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_pool(database.app_url, "silent", 1) as pool:
        await pool.wait(LIMIT_S)
        silent = await backend_of(pool)
        monkeypatch.setattr(pooling, "CHECK_S", 0.2)
        os.kill(silent, signal.SIGSTOP)
        try:
            checking = asyncio.create_task(pool.check())
            await asyncio.wait({checking}, timeout=LIMIT_S)
            assert checking.done()
            assert await insistently(pool) != silent
        finally:
            os.kill(silent, signal.SIGCONT)


class Pooler:
    """Lets everybody log in, and the first of them wait for ever after that."""

    def __init__(self, url: str) -> None:
        given = conninfo_to_dict(url)
        self._target = (str(given["host"]), int(str(given["port"])))
        self.clients = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        mute = asyncio.Event() if self.clients == 1 else None
        theirs, ours = await asyncio.open_connection(*self._target)
        for source, sink in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(self._pass_on(source, sink, mute, says_ready=source is theirs))
            self.tasks.add(task)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, mute: asyncio.Event | None, says_ready: bool
    ) -> None:
        try:
            while data := await source.read(65_536):
                if mute and mute.is_set():
                    continue
                sink.write(data)
                if mute and says_ready and READY in data:
                    mute.set()
        except OSError:
            pass
        finally:
            sink.close()


async def test_a_pooler_that_lets_one_in_and_falls_silent_does_not_block_the_pool(
    database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "CHECK_S", 0.2)
    pooler = Pooler(database.app_url)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    url = make_conninfo(database.app_url, host="127.0.0.1", port=server.sockets[0].getsockname()[1], sslmode="disable")
    try:
        async with make_pool(url, "behind", 1) as pool:
            await insistently(pool)
            assert pooler.clients > 1
    finally:
        await shut(server)
    for task in pooler.tasks:
        task.cancel()
    await asyncio.gather(*pooler.tasks, return_exceptions=True)


async def test_a_session_that_the_server_found_too_long_idle_is_a_lost_one(database: Urls) -> None:
    async with make_pool(database.app_url, "idle", 1, idle_session_timeout=50) as pool:
        await pool.wait(LIMIT_S)
        async with pool.connection() as connection:
            pass
        async with asyncio.timeout(LIMIT_S), await psycopg.AsyncConnection.connect(database.owner_url) as watching:
            while await (await watching.execute(THERE, (connection.info.backend_pid,))).fetchone():
                await watching.rollback()
        with pytest.raises(psycopg.Error) as raised:
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
    assert raised.value.sqlstate == "57P05"
    assert fault(raised.value) is Fault.LOST
