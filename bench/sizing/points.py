"""The model beside measured points: what it says of several processes of the API by what one of them took.

On one machine all parts share its cores, so that what can be held against a measurement is what a payment takes of each
part, which part saturates first, and the rate at which it does. That more nodes do more is not to be seen there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.sizing.measured import PROCESSES, US, Point

MACHINE: Final = "the machine"
"""All cores, which everything shares: the load's and the gateway's processes, too."""


@dataclass(frozen=True)
class Foretold:
    """A point, and what the model says of it by another one."""

    point: Point
    saturates: str
    """What the model says saturates first."""
    at_most: float
    """The payments a second at which it does so."""
    busiest: str
    """What was busiest in the measurement."""
    busy: float
    """The share of its time, from 0 to 1, in which it was."""
    costs: Mapping[str, tuple[float, float]]
    """What a payment takes of each part in µs, foretold and measured."""

    @property
    def reached(self) -> float:
        """The measured rate by the foretold one."""
        return self.point.payments_per_second / self.at_most


def most(costs: Mapping[str, float], apis: int, cores: int) -> Mapping[str, float]:
    """The payments a second at which each part would do nothing else, by its costs: those that can limit it here."""
    by_part = {MACHINE: cores * US / sum(costs.values())}
    for name in PROCESSES:
        if costs.get(name):
            by_part[name] = (apis if name == "api" else 1) * US / costs[name]
    return by_part


def foretell(by: Point, point: Point, cores: int) -> Foretold:
    """What the model says of the point: each payment takes what it took at the other one."""
    foretold = most(by.cpu_us_per_payment, point.apis, cores)
    real = most(point.cpu_us_per_payment, point.apis, cores)
    saturates, busiest = min(foretold, key=foretold.__getitem__), min(real, key=real.__getitem__)
    return Foretold(
        point=point,
        saturates=saturates,
        at_most=foretold[saturates],
        busiest=busiest,
        busy=point.payments_per_second / real[busiest],
        costs={
            name: (us, point.cpu_us_per_payment[name])
            for name, us in by.cpu_us_per_payment.items()
            if name in point.cpu_us_per_payment
        },
    )


def all_foretold(points: Sequence[Point], cores: int) -> Sequence[Foretold]:
    """Each point by the first."""
    return [foretell(points[0], point, cores) for point in points]
