"""A sizing as people read it, and as programs do."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from bench.results import aligned, number
from bench.sizing.changes import changes
from bench.sizing.measured import Measured
from bench.sizing.model import Disk, Sizing
from bench.sizing.parts import BUCKETS, Part, kept_bytes, written_by_postgres
from bench.sizing.plan import INPUTS, Plan
from bench.sizing.points import Foretold

NOT_OURS = ("wrk", "gateway")
KINDS = {"waiting": "waiting messages", "events": "events and inboxes", "audit": "audit log"}


def tell(sizing: Sizing, measured: Measured, foretold: Sequence[Foretold], where: str) -> str:
    """All of it, section by section."""
    plan, cores = sizing.plan, measured.cores
    rate = number(plan.payments_per_second)
    sections = [
        (
            f"Inputs ({where}, {measured.measured_at}, {cores} cores of {measured.machine.get('cpu', '?')})",
            _inputs(plan),
        ),
        ("A payment, as it was measured", _payment(measured)),
        (f"For {rate} payments/s", aligned([_PARTS, *map(_part, sizing.parts)])),
        ("What saturates first", _saturates(sizing)),
        ("Disks", [line for disk in sizing.disks for line in _disk(disk)]),
        ("In all", _in_all(sizing)),
        ("What changes the answer", [f"- {change}" for change in changes(sizing, measured, foretold)]),
        ("Beside measured points", of_points(foretold)),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections)


def told(sizing: Sizing, measured: Measured, foretold: Sequence[Foretold], where: str) -> dict[str, Any]:
    """The same for programs."""
    order = sizing.in_order
    return {
        "results": where,
        "measured_at": measured.measured_at,
        "machine": measured.machine,
        "inputs": {
            each.name: {"value": getattr(sizing.plan, each.name), "unit": each.unit, "what": each.what}
            for each in INPUTS
        },
        "measured": {
            "cpu_us": measured.cpu_us,
            "cpu_us_per_limit": measured.limit_us,
            "written": asdict(measured.written),
            "kept_bytes": kept_bytes(measured),
        },
        "parts": [_finite(asdict(part) | {"holds": part.holds}) for part in sizing.parts],
        "saturates_first": order[0].name,
        "wallet_holds": sizing.wallet_holds,
        "disks": [asdict(disk) for disk in sizing.disks],
        "cores": sizing.cores,
        "gib": sizing.gib,
        "money_a_month": sizing.money,
        "changes": list(changes(sizing, measured, foretold)),
        "points": [asdict(one) | {"reached": one.reached} for one in foretold],
    }


def _finite(figures: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: what has no end is null."""
    return {name: None if value == math.inf else value for name, value in figures.items()}


def _inputs(plan: Plan) -> list[str]:
    rows = []
    for each in INPUTS:
        value = getattr(plan, each.name)
        rows.append((each.option, "not given" if value is None else f"{value:,g} {each.unit}", each.what))
    return aligned(rows)


def _payment(measured: Measured) -> list[str]:
    written, kept = measured.written, kept_bytes(measured)
    processor = ", ".join(f"{name} {us:.0f}" for name, us in measured.cpu_us.items() if name not in NOT_OURS)
    stays = ", ".join(f"{name} {number(size)}" for name, size in kept.items())
    rows = [
        ("processor", f"{processor} µs"),
        ("a limit", f"{number(measured.limit_us)} µs of Redis"),
        ("log", f"{number(written.wal_bytes)} bytes of WAL, {number(written.wal_full_pages)} pages whole among it"),
        ("rows", f"{number(written.rows_inserted)} inserted, {number(written.rows_updated)} updated, "
                 f"{number(written.rows_updated_in_place)} of these in place"),
        ("kept", f"{stays} bytes, indexes included"),
        ("disks", f"{number(written_by_postgres(measured))} bytes by PostgreSQL, {number(written.broker_bytes)} by the "
                  "broker"),
        ("messages", f"{number(written.messages)} in queues, of {number(written.events)} events"),
    ]  # fmt: skip
    return aligned(rows)


_PARTS = ("part", "µs a payment", "one takes", "bound by", "needed", "nodes", "cores", "there can be", "which hold")


def _part(part: Part) -> tuple[str, ...]:
    holds = f"{number(part.holds)}/s" if part.holds < math.inf else ""
    return (
        part.name,
        number(part.us),
        f"{number(part.one_takes)}/s" if part.one_takes < math.inf else "any",
        part.bound_by,
        f"{part.needed:,} × {part.one}",
        f"{part.nodes:,}",
        f"{part.cores:,}",
        str(part.limit.at_most) if part.limit else "any",
        f"{holds}  too little" if part.is_too_much else holds,
    )


def _saturates(sizing: Sizing) -> Iterator[str]:
    for part in sizing.in_order:
        limit = part.limit
        assert limit is not None, "else it holds any rate"
        yield f"{part.name}: {number(part.holds)} payments/s, as {limit.because}"
        if part.is_too_much:
            is_large = part.one_takes * BUCKETS < sizing.plan.payments_per_second
            more = f"; each of the {BUCKETS} that there are is more than one takes" if is_large else ""
            yield f"    → {part.needed:,} {limit.divided}{more}"
    yield f"one wallet: {number(sizing.wallet_holds)} payments/s, whatever there is of anything"


def _disk(disk: Disk) -> Iterator[str]:
    yield f"{disk.name}: {number(disk.mib_s)} MiB/s written by the busiest node, {number(disk.gib)} GiB on all of them:"
    for kind, gib in disk.gib_by_kind.items():
        yield f"    {KINDS.get(kind, kind)}: {number(gib)} GiB"


def _in_all(sizing: Sizing) -> list[str]:
    lines = [f"{sizing.cores:,} cores, {number(sizing.gib)} GiB"]
    lines += [f"{name}: {amount:,.2f} a month" for name, amount in sizing.money.items()]
    if len(sizing.money) == 2:
        lines.append(f"together: {sum(sizing.money.values()):,.2f} a month")
    return lines


def of_points(foretold: Sequence[Foretold]) -> list[str]:
    """What was foretold of each point, beside what was measured; nothing but a hint where there is none."""
    if not foretold:
        return ["none: `python -m bench --scenario workers` measures one API and two"]
    rows = [("APIs", "foretold at most", "measured", "reached", "saturates first", "was busiest", "for")]
    rows += [
        (
            str(one.point.apis), f"{number(one.at_most)}/s", f"{number(one.point.payments_per_second)}/s",
            f"{one.reached:.2f}", one.saturates, one.busiest, f"{one.busy:.0%} of its time",
        )
        for one in foretold
    ]  # fmt: skip
    costs = [("µs a payment", "foretold", "measured", "")]
    costs += [
        (name, number(ahead), number(us), f"{us / ahead - 1:+.0%}" if ahead else "")
        for name, (ahead, us) in foretold[-1].costs.items()
    ]
    return [*aligned(rows), f"with {foretold[-1].point.apis}:", *(f"  {line}" for line in aligned(costs))]
