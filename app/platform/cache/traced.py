"""Spans around what is asked of the cache, in traces whose spans are wanted."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, TypeVar

from opentelemetry.trace import SpanKind, Tracer

from app.kernel.principal import TenantId
from app.platform.cache.ports import Cache, Kept, Kind
from app.platform.tracing.context import OUTCOME, is_sampled, within

T = TypeVar("T")

KIND: Final = "strongbox.cache.kind"
KEYS: Final = "strongbox.cache.keys"
"""How many."""


class TracedCache(Cache):
    """A cache, followed. Keys and values are not told."""

    def __init__(self, cache: Cache, tracer: Tracer) -> None:
        self._cache, self._tracer = cache, tracer

    @property
    def is_degraded(self) -> bool:
        """See `Cache`."""
        return self._cache.is_degraded

    async def get(self, tenant_id: TenantId, kind: Kind[T], name: str, load: Callable[[], Awaitable[T]]) -> T:
        """See `Cache`. What somebody else's load brings counts as kept."""
        if not is_sampled():
            return await self._cache.get(tenant_id, kind, name, load)
        has_loaded = False

        async def loading() -> T:
            nonlocal has_loaded
            has_loaded = True
            return await load()

        span = self._tracer.start_span("cache get", kind=SpanKind.CLIENT, attributes={KIND: kind.prefix})
        with within(span):
            value = await self._cache.get(tenant_id, kind, name, loading)
            span.set_attribute(OUTCOME, "loaded" if has_loaded else "kept")
            return value

    def at_hand(self, tenant_id: TenantId, kind: Kind[T], name: str) -> Kept[T] | None:
        """See `Cache`. Where spans are wanted nothing is: then it is got, which is told."""
        return None if is_sampled() else self._cache.at_hand(tenant_id, kind, name)

    async def delete_counted(self, tenant_id: TenantId, keys: Collection[str]) -> int:
        """See `Cache`."""
        return await self._cache.delete_counted(tenant_id, keys)

    async def delete_matching(self, tenant_id: TenantId, patterns: Collection[str]) -> int:
        """See `Cache`."""
        return await self._cache.delete_matching(tenant_id, patterns)

    def forget_later(self, tenant_id: TenantId, kind: Kind[Any], names: Collection[str]) -> None:
        """See `Cache`."""
        self._cache.forget_later(tenant_id, kind, names)

    async def delete(self, tenant_id: TenantId, keys: Collection[str]) -> bool:
        """See `Cache`."""
        if not is_sampled():
            return await self._cache.delete(tenant_id, keys)
        span = self._tracer.start_span("cache delete", kind=SpanKind.CLIENT, attributes={KEYS: len(keys)})
        with within(span):
            has_confirmed = await self._cache.delete(tenant_id, keys)
            span.set_attribute(OUTCOME, "confirmed" if has_confirmed else "unconfirmed")
            return has_confirmed
