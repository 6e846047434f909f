"""The limits of a process, by its settings: shared by Redis where there is one, its own where there is none."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import ceil

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.platform.limits.own_buckets import OwnBuckets
from app.platform.limits.ports import LimitName, Limits, Refused
from app.platform.limits.script import Ask
from app.platform.limits.shared import SharedBuckets
from app.platform.process.quotas import Quota, quota
from app.platform.process.redis_urls import redis_place
from app.platform.process.settings import PlatformSettings

_PREFIX = "strongbox:limit"


class LimitMetrics:
    """What is refused, and whether each process counts alone though it should not."""

    def __init__(self, registry: CollectorRegistry, *, is_shared: bool) -> None:
        self._refused = Counter(
            "strongbox_rate_limited_requests", "Requests past a limit.", ("limit",), registry=registry
        )
        self._by_process = Gauge(
            "strongbox_limits_by_process",
            "1 while Redis is not to be reached, and the process counts its limits alone; 0 where there is none.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._by_process.set(1 if is_shared else 0)

    def refused(self, name: LimitName) -> None:
        """Count a refusal."""
        self._refused.labels(name).inc()

    def shared(self, is_reachable: bool) -> None:
        """Take note of whether Redis is there."""
        self._by_process.set(0 if is_reachable else 1)


class TokenBuckets(Limits):
    """Buckets by name and key; the key itself is kept nowhere. `secret` keeps others from guessing what it was."""

    def __init__(
        self,
        quotas: Mapping[LimitName, Quota | None],
        metrics: LimitMetrics,
        shared: SharedBuckets | None = None,
        secret: str = "",
    ) -> None:
        self._quotas = {name: quota for name, quota in quotas.items() if quota is not None}
        self._metrics, self._shared, self._own, self._secret = metrics, shared, OwnBuckets(), secret.encode()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Share them meanwhile, where there is a Redis. One that is not there is waited for a second at the most."""
        if self._shared is None:
            yield
            return
        await self._shared.open()
        stop = asyncio.Event()
        looking = asyncio.create_task(self._shared.look(stop))
        try:
            yield
        finally:
            stop.set()
            await looking
            await self._shared.close()

    async def take(self, name: LimitName, key: str) -> Refused | None:
        """Take a token out of the key's bucket; None lets through."""
        quota = self._quotas.get(name)
        if quota is None:
            return None
        place = self._place(name, key)
        wait_s = await self._shared.ask(Ask(place, quota)) if self._shared else None
        if wait_s is None:
            wait_s = self._own.take(place, quota)
        if not wait_s:
            return None
        self._metrics.refused(name)
        seconds = max(1, ceil(wait_s))
        # Both name the same moment: when the next may pass.
        return Refused(name, quota.burst, quota.window_s, retry_after_s=seconds, reset_s=seconds)

    async def give_back(self, name: LimitName, key: str) -> None:
        """Put a token back that was taken."""
        quota = self._quotas.get(name)
        if quota is None:
            return
        place = self._place(name, key)
        if self._shared is None or await self._shared.ask(Ask(place, quota, gives_back=True)) is None:
            self._own.give_back(place, quota)

    def _place(self, name: LimitName, key: str) -> str:
        text = key.encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._secret, text, "sha256") if self._secret else hashlib.sha256(text).digest()
        return f"{_PREFIX}:{name}:{digest[:16].hex()}"


def make(settings: PlatformSettings, registry: CollectorRegistry, secret: str = "") -> TokenBuckets:
    """The limits as the settings have them; each process counts alone until they are opened."""
    metrics = LimitMetrics(registry, is_shared=bool(settings.redis_url))
    quotas: dict[LimitName, Quota | None] = {
        "ip": quota(settings.rate_limit_ip),
        "user": quota(settings.rate_limit_user),
        "wallet": quota(settings.rate_limit_wallet),
        "login": quota(settings.rate_limit_login),
    }
    shared = None
    if settings.redis_url:
        from app.platform.limits.redis_buckets import RedisBuckets  # noqa: PLC0415 -- takes long, where it is not used

        shared = SharedBuckets(RedisBuckets(redis_place(settings.redis_url)), metrics.shared)
    return TokenBuckets(quotas, metrics, shared, secret)
