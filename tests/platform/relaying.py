"""What the tests of the relay over an outbox and a broker in memory share."""

import asyncio
from collections.abc import Callable
from typing import Literal
from uuid import UUID, uuid4

from app.platform.messaging.ports import OutboxMessage
from app.platform.messaging.relay import Relay


class Often(asyncio.Event):
    """What there may be to publish, as a lookout that sees something each time would tell it."""

    async def wait(self) -> Literal[True]:
        await asyncio.sleep(0.02)
        return True


def message(payment_id: UUID, partition: int = 0, kind: str = "payment.created") -> OutboxMessage:
    return OutboxMessage(uuid4(), 0, uuid4(), payment_id, kind, b"{}", partition, 0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 -- the fakes have no events to wait for
            await asyncio.sleep(0.005)


async def relay_once(relay: Relay) -> None:
    batch = await relay._claim()
    assert batch is not None
    await relay._relay_batch(batch)


async def run_until(relay: Relay, holds: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    await until(holds)
    stop.set()
    async with asyncio.timeout(60):
        await running
