"""What the cache serves, and what it has to load."""

from collections import defaultdict
from dataclasses import dataclass, fields
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.platform.outgoing.breaker import BreakerState

Hearing = Literal["heard", "asleep", "silent"]
"""Of a subscription: it hears what is deleted; it need not, as nobody asks; it does not."""

_BREAKER: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
_HEARING: dict[Hearing, int] = {"heard": 0, "asleep": 1, "silent": 2}
_TWO_LEVELS: Final = (
    ("hits", "Values found, by level and kind."),
    ("misses", "Values not found, by level and kind."),
    ("late_writes", "Values that were loaded and not kept, as something was deleted meanwhile, by level and kind."),
)
_OF_A_KIND: Final = (
    ("loads", "Values loaded from where they are true, by kind."),
    ("joins", "Reads that waited for a load that was under way, by kind."),
    ("unreadable", "Values nobody could read, by kind."),
)


@dataclass(slots=True)
class Counts:
    """What happened to values of a kind since it was told last: plain numbers, as hits are many."""

    hits1: int = 0
    hits2: int = 0
    misses1: int = 0
    misses2: int = 0
    late_writes1: int = 0
    late_writes2: int = 0
    loads: int = 0
    joins: int = 0
    unreadable: int = 0


class CacheMetrics:
    """Counted by additions, in `of` the prefix of a kind, and told when `flush` is called."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.of: defaultdict[str, Counts] = defaultdict(Counts)
        self._known: set[str] = set()
        self._evicted = 0
        self._counters: dict[str, tuple[Counter, tuple[str, ...]]] = {}
        for name, what in _TWO_LEVELS:
            counter = Counter(f"strongbox_cache_{name}", what, ("level", "kind"), registry=registry)
            self._counters |= {f"{name}{level}": (counter, (level,)) for level in ("1", "2")}
        for name, what in _OF_A_KIND:
            self._counters[name] = Counter(f"strongbox_cache_{name}", what, ("kind",), registry=registry), ()
        self._evictions = Counter(
            "strongbox_cache_evictions", "Values that level 1 had no room for any more.", registry=registry
        )
        self._bytes = _gauge(
            registry,
            "strongbox_cache_bytes",
            "Bytes in use: of level 1 by the process with the most, of level 2 by its server as a whole.",
            "level",
        )
        self._breaker = _gauge(registry, "strongbox_breaker_state", "0 closed, 1 half-open, 2 open.", "name")
        self._hearing = _gauge(
            registry,
            "strongbox_cache_subscription_state",
            "Whether it is heard what others delete: 0 it is, 1 it need not be, as nobody asks, 2 it is not.",
        )
        self._unconfirmed = _gauge(
            registry, "strongbox_cache_unconfirmed", "Keys that a process has deleted, and Redis has not confirmed."
        )
        self._bytes1, self._bytes2 = self._bytes.labels("1"), self._bytes.labels("2")
        self._of_cache = self._breaker.labels("cache")

    def flush(self, bytes1: int, evictions: int) -> None:
        """Tell what has been counted since, and of level 1 its bytes and all its evictions."""
        for kind, counts in self.of.items():
            if kind not in self._known:  # what has not happened yet is 0, and not unknown
                self._known.add(kind)
                for counter, level in self._counters.values():
                    counter.labels(*level, kind)
            for name in _NAMES:
                if counted := getattr(counts, name):
                    counter, level = self._counters[name]
                    counter.labels(*level, kind).inc(counted)
                    setattr(counts, name, 0)
        self._evictions.inc(evictions - self._evicted)
        self._evicted = evictions
        self._bytes1.set(bytes1)

    def level2(self, used: int) -> None:
        """Take note of what the server uses."""
        self._bytes2.set(used)

    def breaker(self, state: BreakerState) -> None:
        """Take note of the breaker's state."""
        self._of_cache.set(_BREAKER[state])

    def told(self, hearing: Hearing, unconfirmed: int) -> None:
        """Take note of how it hears of deletions, and of how many of its own are not confirmed."""
        self._hearing.set(_HEARING[hearing])
        self._unconfirmed.set(unconfirmed)


_NAMES: Final = [field.name for field in fields(Counts)]


def _gauge(registry: CollectorRegistry, name: str, what: str, *labels: str) -> Gauge:
    """One that of several processes shows the one that is worst, or has the most."""
    return Gauge(name, what, labels, multiprocess_mode="livemax", registry=registry)
