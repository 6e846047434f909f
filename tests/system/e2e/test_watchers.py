"""Five hundred who watch an auction in one process: told, sent elsewhere, killed with it, and one that never reads."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.main.local.postgres import PostgresServer
from bench.machine import memory_mib
from tests.auctions.event_source import RETRY_S, EventSource
from tests.auctions.two_apis import FIRST, TwoApis, two_apis
from tests.auctions.watched import live
from tests.conftest import MakeDatabase
from tests.pace import slow
from tests.system.e2e.house import wait_until

MANY = 500
MOST_KIB = 60
"""What one may take of the process."""


@pytest.fixture
def apis(make_fresh_database: MakeDatabase, postgres_server: PostgresServer, tmp_path: Path) -> Iterator[TwoApis]:
    with two_apis(make_fresh_database(), postgres_server, tmp_path) as apis:
        yield apis


@asynccontextmanager
async def watching(apis: TwoApis, path: str, many: int = MANY) -> AsyncIterator[Sequence[EventSource]]:
    """So many who watch, to the end of all."""
    sources = [EventSource(apis.balancer.port, path) for _ in range(many)]
    async with asyncio.timeout(slow(120)), asyncio.TaskGroup() as group:
        for source in sources:
            group.create_task(source.run())
        for source in sources:
            await source.opened.wait()
        yield sources


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_when_their_process_ends_all_are_back_elsewhere_within_their_retry(
    apis: TwoApis, end: signal.Signals
) -> None:
    auction = await apis.hammer.opened()
    async with watching(apis, live(auction.id)) as sources:
        auction = await apis.hammer.bid(auction, 20)
        stopping = asyncio.to_thread(apis.house.stop, FIRST, end)
        writing = apis.hammer.bid(auction, 20)
        code, auction = await asyncio.gather(stopping, writing)
        assert (code == 0) == (end is signal.SIGTERM)
        for source in sources:
            await source.opened.wait()
        auction = await apis.hammer.closed(await apis.hammer.bid(auction, 20))
    kinds = [(1, "state"), *((n, "bid") for n in range(2, 62)), (62, "ended")]
    assert all(source.events == kinds for source in sources)
    # Once for the end of their process, and once more behind the last event, where they were told to stop.
    assert all(len(source.away_s) == 2 for source in sources)
    assert max(source.away_s[0] for source in sources) < slow(RETRY_S + 1.5)


async def test_one_that_never_reads_is_cut_and_delays_nobody(apis: TwoApis) -> None:
    auction = await apis.hammer.opened()
    with socket.socket() as never:
        never.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        never.connect(("127.0.0.1", apis.house.ports["HTTP_PORT"]))
        never.sendall(f"GET {live(auction.id)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        async with watching(apis, live(auction.id), 50) as sources:
            late_s: list[float] = []
            for _ in range(40):
                auction = await apis.hammer.bid(auction, 25)
                placed = time.monotonic()
                await _told(sources, auction.last_event_id)
                late_s.append(time.monotonic() - placed)
            await apis.hammer.closed(auction)
        assert all(len(source.events) == 1_002 for source in sources)
        assert sorted(late_s)[20] < slow(0.5)
        wait_until(lambda: _ended(apis, "slow") == 1, "the one that never reads to be cut")


async def test_a_watcher_takes_less_than_it_may(apis: TwoApis) -> None:
    auction = await apis.hammer.opened()
    pid = apis.house.processes[FIRST].pid
    async with watching(apis, live(auction.id), 20):  # what is made once is there
        auction = await apis.hammer.closed(await apis.hammer.bid(auction, 50))
    auction = await apis.hammer.opened()
    before_mib = memory_mib(pid, "VmRSS")
    async with watching(apis, live(auction.id)):
        auction = await apis.hammer.bid(auction, 50)
        await asyncio.sleep(1)  # in which all are told
        each_kib = (memory_mib(pid, "VmRSS") - before_mib) * 1024 / MANY
        await apis.hammer.closed(auction)
    assert each_kib <= MOST_KIB


async def _told(sources: Sequence[EventSource], event_id: int) -> None:
    """Wait until all have been told of the event."""
    while any(source.events[-1][0] < event_id for source in sources):  # noqa: ASYNC110 -- each is told by itself
        await asyncio.sleep(0.005)


def _ended(apis: TwoApis, why: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{apis.house.ports['HTTP_PORT']}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("http_streams_ended_total") and f'"{why}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
