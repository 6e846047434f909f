"""`python -m tests.system.teller`: asks funds what others want to know, until SIGTERM."""

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, suppress

from app.contexts.funds.container import FundsContainer
from app.contexts.funds.public import Funds
from app.main.contexts import load
from app.main.house import House
from tests.system.teller.counter import answer


async def run() -> None:
    """Serve."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    house = House(load(os.environ))
    container: FundsContainer = house.container("funds")
    funds: Funds = container.funds()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            if line := await reader.readline():
                writer.write(json.dumps(await answer(funds, json.loads(line))).encode() + b"\n")
                await writer.drain()
        writer.close()

    async with AsyncExitStack() as stack:
        await house.open(stack)
        for lanes in (container.perform(), container.close(), container.forbid()):
            stack.push_async_callback(lanes.drain)
        server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["TELLER_PORT"]))
        stack.callback(server.close)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run())
