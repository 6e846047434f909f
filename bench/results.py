"""What a benchmark found: ratios against a limit of the same run, as JSON and as a table."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any

import msgspec


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure beside its limit, both in `unit`.

    `value` is the median of `runs`, `limit` the mean of `limits`. `ratio`, value / limit, should reach the goal, or,
    where `at_most` is set, stay below it. `errors` counts answers that were not the wanted ones: one makes it void.
    """

    unit: str
    value: float
    limit: float
    limit_is: str
    ratio: float
    goal: float
    at_most: bool
    met: bool
    void: bool
    errors: int
    runs: list[float]
    limits: list[float]
    details: dict[str, Any]
    measured_at: str = ""


def measure(
    runs: Sequence[float],
    limits: Sequence[float],
    *,
    unit: str,
    limit_is: str,
    goal: float,
    at_most: bool = False,
    errors: int = 0,
    details: Mapping[str, Any] | None = None,
) -> Measure:
    """Compare the runs with what was the limit before and after them."""
    value, limit = median(runs), fmean(limits)
    ratio = value / limit if limit else 0.0
    return Measure(
        unit=unit,
        value=value,
        limit=limit,
        limit_is=limit_is,
        ratio=ratio,
        goal=goal,
        at_most=at_most,
        met=not errors and limit > 0 and (ratio <= goal if at_most else ratio >= goal),
        void=errors > 0,
        errors=errors,
        runs=list(runs),
        limits=list(limits),
        details=dict(details or {}),
    )


class Results(msgspec.Struct, frozen=True):
    """A run of `python -m bench`: the machine, and the measures by name."""

    machine: dict[str, Any]
    scenarios: dict[str, Measure]

    def over(self, before: "Results | None") -> "Results":
        """These, and of the results before those that were not measured anew, if this is the same machine."""
        if before is None or before.machine != self.machine:
            return self
        return Results(self.machine, before.scenarios | self.scenarios)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    @classmethod
    def read(cls, path: Path) -> "Results | None":
        """What was written there; None when there is nothing, or something else."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The smallest of the values that is not below `percent` % of them.

    Raises:
        ValueError: there are no values, or `percent` is not above 0 and at most 100.
    """
    if not sorted_values or not 0 < percent <= 100:
        raise ValueError(f"no {percent} % of {len(sorted_values)} values")
    return sorted_values[math.ceil(len(sorted_values) * percent / 100) - 1]


def number(value: float) -> str:
    """A figure as people read it: three digits that count, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(scenarios: Mapping[str, Measure]) -> str:
    """The measures, a line each, and below them what one of what is done takes: CPU by process, what is written."""
    rows = [("scenario", "measured", "limit", "ratio", "goal", "")]
    for name, found in scenarios.items():
        verdict = f"void: {found.errors} errors" if found.void else "met" if found.met else "missed"
        sign = "≤" if found.at_most else "≥"
        value, limit = number(found.value), number(found.limit)
        rows.append((name, f"{value} {found.unit}", limit, f"{found.ratio:.2f}", f"{sign} {found.goal:g}", verdict))
    lines = aligned(rows)
    for (name, found), one in product(scenarios.items(), ("payment", "transfer", "purchase", "mint")):
        if costs := found.details.get(f"cpu_us_per_{one}"):
            lines += ["", f"{name}, where the time goes (CPU in µs a {one}):"]
            lines += [f"  {process:<10} {us:7.0f}" for process, us in costs.items()]
            lines.append(f"  {'all':<10} {sum(costs.values()):7.0f}")
    for name, found in scenarios.items():
        lines += _written(name, found.details)
    return "\n".join(lines)


def _written(name: str, details: Mapping[str, Any]) -> list[str]:
    """What is written for a payment, and what stays of it, of a measure that knows."""
    lines: list[str] = []
    if written := details.get("written_per_payment"):
        rows = [(what.replace("_", " "), number(figure)) for what, figure in written.items()]
        lines += ["", f"{name}, what is written for a payment:", *(f"  {line}" for line in aligned(rows))]
    if kept := details.get("kept_bytes_per_payment"):
        rows = [
            (kind, *(f"{number(figure)} in {where}" for where, figure in one.items())) for kind, one in kept.items()
        ]
        lines += ["", f"{name}, bytes that stay of a payment:", *(f"  {line}" for line in aligned(rows))]
    return lines


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as lines, with columns as wide as what is in them."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
