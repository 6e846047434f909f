"""A subscription ends when it is told to, whatever its connection makes of that."""

import asyncio

import pytest

from app.platform.cache.in_process import InProcess
from app.platform.cache.subscription import Listening, Subscription
from tests.platform.cache.sharing import Process

LIMIT_S = 60.0


class Hiding(Listening):
    """Whoever ends it is told of an error of its own, as when a connection breaks while it is hung up."""

    def __init__(self, hears: asyncio.Event) -> None:
        self._hears = hears

    async def subscribe(self, *channels: str) -> None:
        """See `Listening.subscribe`."""

    async def hear(self) -> tuple[str, bytes]:
        """See `Listening.hear`."""
        self._hears.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError from None
        raise AssertionError("nothing is ever said")

    async def close(self) -> None:
        """See `Listening.close`."""


async def test_it_ends_though_its_connection_hides_that_it_was_cancelled() -> None:
    hears, asking = asyncio.Event(), Process("redis://127.0.0.1:1", 1.0).asking
    subscription = Subscription(asking, lambda: Hiding(hears), "deletions", InProcess(1_000))
    assert not subscription.is_fresh, "asked for, it begins to listen"
    listening = asyncio.create_task(subscription.listen())
    async with asyncio.timeout(LIMIT_S):
        await hears.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
