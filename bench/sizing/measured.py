"""What the model takes from a benchmark's results, and what it says when that is not there."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from bench.results import Measure, Results
from bench.written import KEPT, Kept, Written

T = TypeVar("T")

US: Final = 1e6
"""Microseconds of a core in each second."""
PROCESSES: Final = ("api", "relay", "recover", "audit", "metrics")
SERVERS: Final = ("postgres", "rabbitmq", "redis")
_MAY_BE_NOTHING: Final = ("recover", "redis")
"""Little enough to be below a tick of the clock."""


class Missing(Exception):  # noqa: N818 -- it says what the results lack
    """The results lack something; a line for each, with the command that measures it."""


@dataclass(frozen=True)
class Point:
    """A measured point: so many processes of the API, what they reached, and what a payment took of each part."""

    apis: int
    payments_per_second: float
    cpu_us_per_payment: Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """Of a payment, unless it says otherwise: µs of processor, bytes, rows. Rates are by second."""

    machine: Mapping[str, Any]
    measured_at: str
    cpu_us: Mapping[str, float]
    limit_us: float
    """Of Redis, for each limit."""
    written: Written
    kept: Mapping[str, Kept]
    wallet_rate: float
    """Payments of one wallet."""
    chain_rate: float
    """Events into the one hash chain."""
    points: Sequence[Point]
    """None, or those with one and with two processes of the API."""

    @property
    def cores(self) -> int:
        """Of the machine that everything was measured on."""
        return int(self.machine["cores"])

    @classmethod
    def of(cls, results: Results, where: str) -> "Measured":
        """What `where` has.

        Raises:
            Missing: it does not have all; or a figure that cannot be.
        """
        missing = list(_missing(results))
        if missing:
            raise Missing("\n".join(f"{where} {one}" for one in missing))
        found = results.scenarios
        spread = found["spread"].details
        workers = found.get("workers")
        return cls(
            machine=results.machine,
            measured_at=found["spread"].measured_at,
            cpu_us=spread["cpu_us_per_payment"],
            limit_us=spread["cpu_us_per_limit"]["redis"],
            written=msgspec.convert(spread["written_per_payment"], Written),
            kept=msgspec.convert(spread["kept_bytes_per_payment"], dict[str, Kept]),
            wallet_rate=found["hot"].value,
            chain_rate=found["audit"].value,
            points=points_of(workers) if workers else (),
        )


def points_of(workers: Measure) -> Sequence[Point]:
    """Those of the scenario `workers`."""
    return msgspec.convert(workers.details["points"], list[Point])


def _missing(results: Results) -> Iterator[str]:
    if not isinstance(results.machine.get("cores"), int) or results.machine["cores"] < 1:
        yield "does not say how many cores its machine has: `python -m bench` measures anew"
    for name in ("spread", "hot", "audit"):
        found = results.scenarios.get(name)
        if found is None:
            yield f"lacks the scenario `{name}`: `python -m bench --scenario {name}` measures it"
        elif not _is_figure(found.value) or found.value <= 0:
            yield f"says {found.value} for `{name}`, which cannot be: `python -m bench --scenario {name}`"
        elif name == "spread":
            yield from (
                f"{each}: `python -m bench --scenario spread` measures it" for each in _missing_of_spread(found)
            )
    if (workers := results.scenarios.get("workers")) and not _has(workers.details.get("points"), list[Point]):
        yield "has a `workers` without its points: `python -m bench --scenario workers` measures them"


def _missing_of_spread(spread: Measure) -> Iterator[str]:
    details = spread.details
    costs = details.get("cpu_us_per_payment")
    for part in (*PROCESSES, *SERVERS):
        cost = costs.get(part) if isinstance(costs, Mapping) else None
        if not _is_figure(cost):
            yield f"lacks what `{part}` takes of the processor for a payment (`spread`)"
        elif cost == 0 and part not in _MAY_BE_NOTHING:
            yield f"says that `{part}` takes nothing, of runs that were too short for the clock (`spread`)"
    limit = details.get("cpu_us_per_limit")
    if not isinstance(limit, Mapping) or not _is_figure(limit.get("redis")) or not limit["redis"]:
        yield "lacks what a limit takes of Redis (`spread`, `cpu_us_per_limit`)"
    written = _has(details.get("written_per_payment"), Written)
    if written is None or not all(map(_is_figure, msgspec.to_builtins(written).values())) or not written.events:
        yield "lacks what is written for a payment (`spread`, `written_per_payment`)"
    kept = _has(details.get("kept_bytes_per_payment"), dict[str, Kept])
    if kept is None or not all(name in kept and _is_figure(kept[name].tables + kept[name].indexes) for name in KEPT):
        yield "lacks the bytes that a payment leaves (`spread`, `kept_bytes_per_payment`)"


def _has(value: object, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0
