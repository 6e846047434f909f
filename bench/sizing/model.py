"""The whole answer: how many of each, what lies on disks, what it costs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.sizing.measured import Measured
from bench.sizing.parts import Part, fullest, kept_bytes, postgres, processes, rabbitmq, redis, written_by_postgres
from bench.sizing.plan import GIB, HOURS_A_MONTH, MIB, Plan


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What the busiest node writes, in MiB a second, and what lies on all disks in the end, in GiB, with all copies."""

    name: str
    mib_s: float
    gib: float
    gib_by_kind: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """The answer. `wallet_holds` are the payments a second that one wallet takes, whatever there is of anything."""

    plan: Plan
    parts: Sequence[Part]
    disks: Sequence[Disk]
    wallet_holds: float

    @property
    def cores(self) -> int:
        return sum(part.cores for part in self.parts)

    @property
    def gib(self) -> float:
        return sum(disk.gib for disk in self.disks)

    @property
    def money(self) -> dict[str, float]:
        """By month, and only of what a price was given for."""
        prices = {
            "cores": (self.cores * HOURS_A_MONTH, self.plan.core_hour),
            "disks": (self.gib, self.plan.gib_month),
        }
        return {name: amount * price for name, (amount, price) in prices.items() if price is not None}

    @property
    def in_order(self) -> Sequence[Part]:
        """Those that hold so much and no more, the one that saturates first before all others."""
        return sorted((part for part in self.parts if part.holds < math.inf), key=lambda part: part.holds)


def size(plan: Plan, measured: Measured) -> Sizing:
    """How many of each, for the plan, by what was measured."""
    database, broker = postgres(plan, measured), rabbitmq(plan, measured)
    return Sizing(
        plan=plan,
        parts=(*processes(plan, measured), database, broker, redis(plan, measured)),
        disks=(_disk_of_postgres(plan, measured, database), _disk_of_rabbitmq(plan, measured, broker)),
        wallet_holds=measured.wallet_rate * plan.part,
    )


def _disk_of_postgres(plan: Plan, measured: Measured, part: Part) -> Disk:
    rate = plan.payments_per_second * plan.mean / 100 * 3600
    gib = {
        kind: rate * plan.hours_kept[kind] * size * (1 + plan.standbys) / GIB
        for kind, size in kept_bytes(measured).items()
    }
    return Disk(
        name="postgres",
        mib_s=plan.payments_per_second * fullest(part.needed) * written_by_postgres(measured) / MIB,
        gib=sum(gib.values()),
        gib_by_kind=gib,
    )


def _disk_of_rabbitmq(plan: Plan, measured: Measured, part: Part) -> Disk:
    """Room for what waits while a consumer of all events is away: each message as long as all were written."""
    written = measured.written
    waiting = plan.payments_per_second * plan.outage * 3600 * written.broker_bytes * plan.members / GIB
    return Disk(
        name="rabbitmq",
        mib_s=plan.payments_per_second * fullest(part.needed) * written.broker_bytes / MIB,
        gib=waiting,
        gib_by_kind={"waiting": waiting},
    )
