"""Level 2 in Redis."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from app.platform.cache.asking import Asking
from app.platform.cache.in_process import Place
from app.platform.cache.messages import of_patterns, of_places
from app.platform.cache.remote import NOTHING, Looked, Remote
from app.platform.cache.scripts import DELETE, LATE, LOOK, PUBLISH, PUT, SWEEP, TAKE_LEASE, Call

LEASE_MS: Final = 10_000
"""Who loads for longer keeps it to himself."""
MOST_PLACES: Final = 1_000
"""That are deleted at once."""
NOBODY: Final = ""


class RedisRemote(Remote):
    """What is asked of Redis, in its words; deletions are told on a channel."""

    def __init__(self, asking: Asking, channel: str) -> None:
        self._asking, self._channel = asking, channel

    @property
    def answers(self) -> bool:
        """See `Remote`."""
        return self._asking.state == "closed"

    async def look(self, place: Place, lease: str) -> Looked:
        """See `Remote`."""
        value, told = await self._asking.ask(Call(LOOK, _both(place), (lease, LEASE_MS)))
        if value is None:
            return Looked(has_lease=told == 1)
        return Looked(value, told / 1_000) if told > 0 else NOTHING

    async def take_lease(self, place: Place, lease: str) -> bool:
        """See `Remote`."""
        return bool(await self._asking.ask(Call(TAKE_LEASE, _both(place)[1:], (lease, LEASE_MS))) == 1)

    def put(self, place: Place, lease: str, value: bytes, ttl_s: float, on_late: Callable[[], None]) -> None:
        """See `Remote`."""

        def look(answer: "asyncio.Future[Any]") -> None:
            if not answer.cancelled() and answer.exception() is None and answer.result() == LATE:
                on_late()

        answer = self._asking.begin(Call(PUT, _both(place), (lease, value, max(1, round(ttl_s * 1_000)))))
        answer.add_done_callback(look)

    async def delete(self, places: Collection[Place]) -> int:
        """See `Remote`."""
        removed, each = 0, [*places]
        for start in range(0, len(each), MOST_PLACES):
            removed += int(await self._asking.ask(_deletion(each[start : start + MOST_PLACES], self._channel)))
        return removed

    def delete_unheard(self, places: Collection[Place]) -> None:
        """See `Remote`."""
        self._asking.begin(_deletion([*places], NOBODY))

    async def delete_matching(self, tenant: int, patterns: Collection[str]) -> int:
        """See `Remote`."""
        # First all leases: what is put under one that was taken before is found among the values behind them.
        for pattern in patterns:
            await self._sweep(f"l:{tenant:032x}:{_glob(pattern)}")
        removed = 0
        for pattern in patterns:
            removed += await self._sweep(f"v:{tenant:032x}:{_glob(pattern)}")
        await self._asking.ask(Call(PUBLISH, (), (self._channel, of_patterns(tenant, [*patterns]))))
        return removed

    async def _sweep(self, pattern: str) -> int:
        cursor, removed = b"0", 0
        while True:
            cursor, found = await self._asking.ask(Call(SWEEP, (pattern,), (cursor,)))
            removed += int(found)
            if cursor == b"0":
                return removed


def _both(place: Place) -> tuple[str, str]:
    tenant, key = place
    return f"v:{tenant:032x}:{key}", f"l:{tenant:032x}:{key}"


def _deletion(places: Sequence[Place], channel: str) -> Call:
    message: bytes | str = of_places(places) if channel else NOBODY
    return Call(DELETE, tuple(key for place in places for key in _both(place)), (channel, message))


def _glob(pattern: str) -> str:
    """The pattern as Redis takes it: `*` is special in both, whatever else is there is not here."""
    return re.sub(r"([?\[\]^\\-])", r"\\\1", pattern)
