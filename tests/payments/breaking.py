"""A breaker and its gate, with a clock that the test turns."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.contexts.payments.adapters.gateway.bulkhead import Bulkhead
from app.contexts.payments.adapters.gateway.resilience import tell
from app.platform.outgoing.breaker import Breaker


class DownError(Exception):
    """What a failing attempt raises."""


async def good() -> str:
    return "good"


async def bad() -> str:
    raise DownError


async def attempt(breaker: Breaker, what: Callable[[], Awaitable[str]], within_s: float = 5) -> str:
    return await breaker.call(what, asyncio.get_running_loop().time() + within_s)


class Setting:
    """A breaker of three failures and four seconds, and a gate of two slots."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.breaker = Breaker(3, 4.0, lambda: self.now_s, tell)
        self.gate = Bulkhead(2, self.breaker)

    def state(self) -> str:
        return self.breaker.state

    async def fail(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(DownError):
                await attempt(self.breaker, bad)

    async def half_open(self) -> None:
        await self.fail(3)
        self.now_s += 4.0
        assert self.state() == "half_open"


@pytest.fixture
def at() -> Setting:
    return Setting()
