"""A line chart of a balance: it stays as it is until it is moved, so the line has steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 96
STEPS: Final = 120


@dataclass(frozen=True, slots=True)
class BalanceChart:
    """The line, as SVG's `points`, within what it goes from and to, in minor units."""

    points: str
    least_minor: int
    most_minor: int
    width: int = WIDTH
    height: int = HEIGHT


def times_of(since: datetime, until: datetime) -> tuple[datetime, ...]:
    """The times that the line is drawn through: evenly, both ends among them."""
    return (*[since + (until - since) * nth / STEPS for nth in range(STEPS)], until)


def chart_of(balances: Sequence[int]) -> BalanceChart:
    """The chart of the balances (minor units) at `times_of`."""
    least, most = min(balances), max(balances)
    spread = most - least or 1
    before, points = None, list[str]()
    for nth, balance in enumerate(balances):
        x = WIDTH * nth / (len(balances) - 1)
        # A line on the edge would be half outside.
        y = 2 + (HEIGHT - 4) * (1 - (balance - least) / spread)
        if before is not None and before != y:
            points.append(f"{x:.1f},{before:.1f}")
        points.append(f"{x:.1f},{y:.1f}")
        before = y
    return BalanceChart(" ".join(points), least, most)
