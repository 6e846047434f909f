"""The cache of a process, by its settings."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess
from app.platform.cache.messages import channel
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.ports import Cache
from app.platform.cache.remote import Pulse
from app.platform.cache.running import Upkeep
from app.platform.process.opening import Openable
from app.platform.process.redis_urls import RedisPlace, redis_place
from app.platform.process.settings import PlatformSettings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class Constant(Pulse):
    """Of a process that needs to hear nobody, or can hear nobody."""

    def __init__(self, is_fresh: bool) -> None:
        self._is_fresh = is_fresh

    @property
    def is_fresh(self) -> bool:
        """As it is."""
        return self._is_fresh


def make(
    settings: PlatformSettings, registry: CollectorRegistry, tracer: "Tracer | None", openings: list[Openable]
) -> Cache:
    """The cache, which asks nobody before it is opened: whoever opens the process finds it in `openings`."""
    metrics = CacheMetrics(registry)
    most = settings.cache_l1_mb * 1_000_000
    if settings.redis_url:
        cache = _by_redis(redis_place(settings.redis_url), InProcess(most), metrics, openings)
    else:
        is_sole = settings.cache_sole_writer and settings.http_workers == 1
        cache = _alone(InProcess(most if is_sole else 0), metrics, openings)
    if tracer is None:
        return cache
    from app.platform.cache.traced import TracedCache  # noqa: PLC0415 -- only when it is wanted

    return TracedCache(cache, tracer)


def _alone(level1: InProcess, metrics: CacheMetrics, openings: list[Openable]) -> TwoLevels:
    cache = TwoLevels(level1, Constant(level1.has_room), None, metrics)
    openings.append(Upkeep(cache, level1, metrics, None))
    return cache


def _by_redis(place: RedisPlace, level1: InProcess, metrics: CacheMetrics, openings: list[Openable]) -> TwoLevels:
    from app.platform.cache.asking import Asking  # noqa: PLC0415 -- redis takes long, where it is not used
    from app.platform.cache.redis_listening import RedisListening  # noqa: PLC0415
    from app.platform.cache.redis_remote import RedisRemote  # noqa: PLC0415
    from app.platform.cache.subscription import Subscription  # noqa: PLC0415
    from app.platform.cache.wire import Wire  # noqa: PLC0415

    told_on = channel(place)
    asking = Asking(Wire(place), tell=metrics.breaker)
    subscription = Subscription(asking, lambda: RedisListening(place), told_on, level1)
    cache = TwoLevels(level1, subscription, RedisRemote(asking, told_on), metrics)
    openings.append(Upkeep(cache, level1, metrics, (asking, subscription)))
    return cache
