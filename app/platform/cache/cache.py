"""The cache of a process: two levels, and what keeps either from holding what is older than a write."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.cache.codecs import Codecs, Unreadable
from app.platform.cache.flights import Flights
from app.platform.cache.in_process import InProcess, Place
from app.platform.cache.metrics import CacheMetrics, Counts
from app.platform.cache.ports import Cache, Kept, Kind
from app.platform.cache.remote import NOTHING, Away, Looked, Pulse, Remote
from app.platform.cache.unconfirmed import Unconfirmed

T = TypeVar("T")

SPREAD: Final = 0.1
MOST_BYTES: Final = 1_000_000
"""Of a value that is kept."""
MOST_AGAIN: Final = 1_000
"""Deletions that are asked for again at once."""
_SILENT: Final = "Redis does not answer"


class TwoLevels(Cache):
    """Level 1 in the process, as long as `pulse` beats; level 2, `remote`, as long as it answers, if there is one.

    Whoever loads has the place's generation from before it looked into level 2, and a lease that it got there. Whatever
    deletes moves the one and removes the other: what was loaded before a deletion is kept nowhere behind it.
    """

    def __init__(self, level1: InProcess, pulse: Pulse, remote: Remote | None, metrics: CacheMetrics) -> None:
        self._level1, self._pulse, self._remote, self._metrics = level1, pulse, remote, metrics
        self._codecs, self._flights, self._unconfirmed = Codecs(), Flights(), Unconfirmed()
        self._me, self._numbers = uuid4().hex, itertools.count()

    @property
    def is_degraded(self) -> bool:
        """See `Cache`."""
        return self._remote is not None and not self._remote.answers

    @property
    def unconfirmed(self) -> int:
        """How many deletions of its own Redis has not confirmed."""
        return len(self._unconfirmed)

    async def get(self, tenant_id: TenantId, kind: Kind[T], name: str, load: Callable[[], Awaitable[T]]) -> T:
        """See `Cache`."""
        place = tenant_id.int, kind.key(name)
        knows_all = self._pulse.is_fresh
        if kind.in_process:
            if knows_all and (kept := self._kept(place, kind)):
                return kept.value
            self._metrics.of[kind.prefix].misses1 += 1
        generation = self._level1.generation(place)
        if flight := self._flights.under_way(place, generation, knows_all=knows_all):
            self._metrics.of[kind.prefix].joins += 1
        else:
            flight = self._flights.begin(place, generation, partial(self._fly, place, kind, load, generation))
        brought: T = await asyncio.shield(flight)  # whoever goes leaves it to the others
        return brought

    def at_hand(self, tenant_id: TenantId, kind: Kind[T], name: str) -> Kept[T] | None:
        """See `Cache`. What is not is no miss yet: whoever asks on is counted then."""
        return self._kept((tenant_id.int, kind.key(name)), kind) if self._pulse.is_fresh else None

    async def delete(self, tenant_id: TenantId, keys: Collection[str]) -> bool:
        """See `Cache`."""
        try:
            await self.delete_counted(tenant_id, keys)
        except Unavailable:
            return False
        return True

    async def delete_counted(self, tenant_id: TenantId, keys: Collection[str]) -> int:
        """See `Cache`."""
        places = [(tenant_id.int, key) for key in keys]
        self._level1.forget(places)
        if self._remote is None:
            return 0
        number = self._unconfirmed.begin(places)
        try:
            removed = await self._remote.delete(places)
        except Away:
            raise Unavailable(_SILENT) from None
        finally:
            # Whoever began to look meanwhile may have found it there yet.
            self._level1.forget(places)
        self._unconfirmed.confirm(places, number)
        return removed

    async def delete_matching(self, tenant_id: TenantId, patterns: Collection[str]) -> int:
        """See `Cache`."""
        tenant = tenant_id.int
        self._level1.forget_matching(tenant, patterns)
        if self._remote is None:
            return 0
        try:
            return await self._remote.delete_matching(tenant, patterns)
        except Away:
            raise Unavailable(_SILENT) from None
        finally:
            self._level1.forget_matching(tenant, patterns)

    def forget_later(self, tenant_id: TenantId, kind: Kind[Any], names: Collection[str]) -> None:
        """See `Cache`."""
        if self._remote is not None:
            self._remote.delete_unheard([(tenant_id.int, kind.key(name)) for name in names])

    async def repeat_unconfirmed(self) -> None:
        """Ask again for some of the deletions that were not confirmed."""
        if self._remote is None or not self._unconfirmed:
            return
        number, places, tenants = self._unconfirmed.left(MOST_AGAIN)
        try:
            if places:
                await self._remote.delete(places)
                self._unconfirmed.confirm(places, number)
            for tenant in tenants:
                await self._remote.delete_matching(tenant, ["*"])
                self._unconfirmed.confirm_tenant(tenant, number)
        except Away:
            return

    async def close(self) -> None:
        """End what is under way."""
        await self._flights.close()

    async def _fly(self, place: Place, kind: Kind[T], load: Callable[[], Awaitable[T]], generation: int) -> T:
        lease = f"{self._me}:{next(self._numbers)}"
        counts = self._metrics.of[kind.prefix]
        found = await self._look(place, lease, counts)
        has_lease = found.has_lease
        if (kept := found.value) is not None:
            try:
                value: T = self._codecs.decode(kind, kept)
            except Unreadable:
                counts.unreadable += 1
                has_lease = await self._take_lease(place, lease)
            else:
                counts.hits2 += 1
                self._keep(place, kind, kept, found.ttl_s, generation)
                return value
        counts.loads += 1
        value = await load()
        encoded, ttl_s = self._codecs.encode(value), _ttl_s(kind, is_there=value is not None)
        if has_lease and self._remote is not None and len(encoded) <= MOST_BYTES:
            self._remote.put(place, lease, encoded, ttl_s, partial(_count_late, counts))
        self._keep(place, kind, encoded, ttl_s, generation)
        return value

    def _kept(self, place: Place, kind: Kind[T]) -> Kept[T] | None:
        """What level 1 has there, which is a hit."""
        if (kept := self._level1.get(place)) is None:
            return None
        try:
            value: T = self._codecs.decode(kind, kept)
        except Unreadable:
            return None
        self._metrics.of[kind.prefix].hits1 += 1
        return Kept(value)

    def _keep(self, place: Place, kind: Kind[Any], value: bytes, ttl_s: float, generation: int) -> None:
        if kind.in_process and not self._level1.put(place, value, ttl_s, generation):
            self._metrics.of[kind.prefix].late_writes1 += 1

    async def _look(self, place: Place, lease: str, counts: Counts) -> Looked:
        # What this process has deleted, and Redis perhaps not yet, is not looked for there.
        if self._remote is None or place in self._unconfirmed:
            return NOTHING
        try:
            found = await self._remote.look(place, lease)
        except Away:
            return NOTHING
        if found.value is None:
            counts.misses2 += 1
        return found

    async def _take_lease(self, place: Place, lease: str) -> bool:
        assert self._remote is not None
        try:
            return await self._remote.take_lease(place, lease)
        except Away:
            return False


def _count_late(counts: Counts) -> None:
    counts.late_writes2 += 1


def _ttl_s(kind: Kind[Any], *, is_there: bool) -> float:
    low, high = kind.ttl_s
    middle = (low + high) / 2 if is_there else kind.absent_ttl_s
    return middle * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 -- nobody gains by guessing it
