"""What a process says of its cache in its metrics, and what of that is of lately."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from prometheus_client import Metric

from app.platform.cache.metrics import Counts, Hearing

LATELY: Final = 30
"""So many looks back is lately."""
_STATES: Final = ("closed", "half-open", "open")
_HEARING: Final[tuple[Hearing, ...]] = ("heard", "asleep", "silent")
_COUNTED: Final = frozenset(each.name for each in fields(Counts))
_GAUGES: Final = ("strongbox_cache_subscription_state", "strongbox_cache_unconfirmed", "strongbox_breaker_state")


@dataclass(frozen=True, slots=True)
class Told:
    """What was counted since its start, by kinds; `breaker` is that of its way to Redis."""

    kinds: Mapping[str, Counts]
    bytes1: int
    breaker: str
    hearing: Hearing
    unconfirmed: int
    evictions: int

    @property
    def is_well(self) -> bool:
        """Whether it uses both levels, or nobody wants it to."""
        return self.breaker == "closed" and self.hearing != "silent"


def told(families: Iterable[Metric]) -> Told | None:
    """What the metrics say; None where they are of a process without a cache, or of another release."""
    kinds: dict[str, Counts] = {}
    gauges: dict[str, float] = {}
    bytes1 = evictions = 0
    for sample in (sample for family in families for sample in family.samples):
        name, labels = sample.name.removeprefix("strongbox_cache_").removesuffix("_total"), sample.labels
        counted = name + labels.get("level", "")
        if counted in _COUNTED and "kind" in labels:
            counts = kinds.setdefault(labels["kind"], Counts())
            setattr(counts, counted, getattr(counts, counted) + int(sample.value))
        elif counted == "bytes1":
            bytes1 = int(sample.value)
        elif name == "evictions":
            evictions = int(sample.value)
        elif sample.name in _GAUGES and labels.get("name", "cache") == "cache":
            gauges[sample.name] = sample.value
    if len(gauges) < len(_GAUGES):
        return None
    hearing, unconfirmed, breaker = (int(gauges[name]) for name in _GAUGES)
    return Told(kinds, bytes1, _STATES[breaker], _HEARING[hearing], unconfirmed, evictions)


@dataclass(slots=True)
class History:
    """What one process told, look by look."""

    looks: deque[tuple[float, Told]] = field(default_factory=lambda: deque(maxlen=LATELY))

    def add(self, at_s: float, told: Told) -> None:
        """It told this then. One that counts less than before has begun anew."""
        if self.looks and _sum(told) < _sum(self.looks[-1][1]):
            self.looks.clear()
        self.looks.append((at_s, told))

    @property
    def lately_s(self) -> float:
        """How long lately is; 0 where it told once only."""
        return self.looks[-1][0] - self.looks[0][0] if self.looks else 0.0

    def lately(self, kind: str) -> Counts:
        """What it has counted of a kind lately."""
        now, then = (each.kinds.get(kind, Counts()) for _, each in (self.looks[-1], self.looks[0]))
        return Counts(*(getattr(now, each.name) - getattr(then, each.name) for each in fields(Counts)))


def _sum(told: Told) -> int:
    return sum(getattr(counts, each.name) for counts in told.kinds.values() for each in fields(Counts))


def share(hits: int, misses: int) -> float | None:
    """The part of what was looked for that was there, from 0 to 1; None where nothing was."""
    return hits / (hits + misses) if hits + misses else None
