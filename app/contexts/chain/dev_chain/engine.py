"""The EVM of py-evm as the engine, in this process."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.contexts.chain.dev_chain import jsonrpc
from app.contexts.chain.dev_chain.chain import Chain
from app.contexts.chain.dev_chain.controls import Miner
from app.contexts.chain.dev_chain.http import Answer
from app.contexts.chain.dev_chain.methods import Methods
from app.contexts.chain.dev_chain.store import Store
from app.contexts.chain.dev_chain.wanted import ENOUGH_WEI, Wanted


@asynccontextmanager
async def in_python(wanted: Wanted) -> AsyncIterator[Answer]:
    """A chain in this process.

    Raises:
        OSError: it cannot be kept there.
    """
    if wanted.folder:
        wanted.folder.mkdir(parents=True, exist_ok=True)
    try:
        store = Store(str(wanted.folder / "chain.sqlite") if wanted.folder else ":memory:")
    except sqlite3.Error as error:
        raise OSError(f"{wanted.folder}: {error}") from error
    chain = Chain(store, wanted.chain_id)
    poor = [one.lower() for one in wanted.funded if chain.evm.account(chain.head, one)[1] < ENOUGH_WEI // 2]
    if poor:
        chain.mine(dict.fromkeys(poor, ENOUGH_WEI))
    miner = Miner(chain, wanted.interval_s)
    methods: dict[str, Any] = {**Methods(chain, miner.sent).by_name, **miner.by_name}

    async def answer(body: bytes) -> bytes:
        return jsonrpc.answer(body, methods)

    mining = asyncio.create_task(miner.run())
    try:
        yield answer
    finally:
        mining.cancel()
        store.close()
