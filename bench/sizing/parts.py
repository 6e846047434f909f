"""What one of each kind of process and server takes, how many there have to be, and how many there can be.

There is no queueing in it. A part is planned up to a share of what it can do; what is above it is for peaks, failures
and vacuum. What a payment costs is taken to be the same at every rate, and a node's cores to be worth as much as those
that were measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.platform.postgres.outbox import PARTITIONS
from bench.sizing.measured import US, Measured
from bench.sizing.plan import MIB, Plan
from bench.written import KEPT

BUCKETS: Final = PARTITIONS
"""Into how many parts rows and events are divided, and by which a server can be."""


@dataclass(frozen=True)
class Limit:
    """That there can be so many of a part today and no more, why, and into what it would be divided to be more."""

    at_most: int
    because: str
    divided: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """A kind of process or server; rates are payments a second.

    `one_takes` is what one of it takes at the planned share, as `bound_by` lets it; without a `limit` there can be any
    number of it. `nodes` and `cores` are what has to be there, copies included.
    """

    name: str
    one: str
    us: float
    one_takes: float
    bound_by: str
    needed: int
    nodes: int
    cores: int
    limit: Limit | None

    @property
    def holds(self) -> float:
        """The rate up to which those do that there can be."""
        return self.limit.at_most * self.one_takes if self.limit else math.inf

    @property
    def is_too_much(self) -> bool:
        return self.limit is not None and self.needed > self.limit.at_most


def processes(plan: Plan, measured: Measured) -> Sequence[Part]:
    """Each has one event loop, and so one core at the most. A second one of each is for when the first one dies."""
    partitions = Limit(PARTITIONS, "each needs a partition of its own", "relays, of as many partitions")
    one_chain = Limit(1, "all take turns at one hash chain", "chains by bucket")
    turns = measured.chain_rate / measured.written.events, "its turns"
    cpu_us = measured.cpu_us
    return (
        _with_one_core(plan, "api", cpu_us["api"]),
        _with_one_core(plan, "relay", cpu_us["relay"], limit=partitions),
        _with_one_core(plan, "recover", cpu_us["recover"]),
        _with_one_core(plan, "metrics", cpu_us["metrics"]),
        _with_one_core(plan, "audit", cpu_us["audit"], turns, limit=one_chain),
    )


def redis(plan: Plan, measured: Measured) -> Part:
    """It does its work in one thread."""
    us = measured.cpu_us["redis"] + plan.limits * measured.limit_us
    limit = Limit(1, "no Redis Cluster is spoken to", "primaries, by who asks")
    return _with_one_core(plan, "redis", us, one="primary", limit=limit)


def _with_one_core(
    plan: Plan, name: str, us: float, *bounds: tuple[float, str], one: str = "process", limit: Limit | None = None
) -> Part:
    takes, bound_by = min([(_a_core(us), "its core"), *bounds])
    least = 1 if limit and limit.at_most == 1 else 2
    needed = max(math.ceil(plan.payments_per_second / (takes * plan.part)), least)
    return Part(
        name=name, one=one, us=us, one_takes=takes * plan.part, bound_by=bound_by, needed=needed, nodes=needed,
        cores=needed, limit=limit,
    )  # fmt: skip


def postgres(plan: Plan, measured: Measured) -> Part:
    us, limit = measured.cpu_us["postgres"], Limit(1, "one database has all rows", "shards by bucket")
    bounds = (plan.cores * _a_core(us), "its cores"), (_a_disk(plan, written_by_postgres(measured)), "its disk")
    return _by_bucket(plan, "postgres", "primary", us, bounds, (1 + plan.standbys, plan.cores), limit)


def rabbitmq(plan: Plan, measured: Measured) -> Part:
    """A queue is led by one process of the broker's, whose work one core does: more cores than queues help nobody."""
    us, limit = measured.cpu_us["rabbitmq"], Limit(1, "all relays publish to one", "clusters by bucket")
    cores = min(plan.cores, math.ceil(measured.written.messages / measured.written.events))
    bounds = (
        (cores * _a_core(us), "its cores" if cores == plan.cores else "its queues"),
        (_a_disk(plan, measured.written.broker_bytes), "its disk"),
    )
    return _by_bucket(plan, "rabbitmq", "cluster", us, bounds, (plan.members, cores), limit)


def _by_bucket(
    plan: Plan, name: str, one: str, us: float, bounds: Sequence[tuple[float, str]], nodes: tuple[int, int],
    limit: Limit,
) -> Part:  # fmt: skip
    """A part of so many nodes, with so many cores each, that can be divided by bucket."""
    takes, bound_by = min(bounds)
    needed = _whole_buckets(plan.payments_per_second, takes * plan.part)
    copies, cores = nodes
    return Part(
        name=name, one=one, us=us, one_takes=takes * plan.part, bound_by=bound_by, needed=needed,
        nodes=needed * copies, cores=needed * copies * cores, limit=limit,
    )  # fmt: skip


def _whole_buckets(rate: float, takes: float) -> int:
    """How many, each with whole buckets, which are as busy as one another. Where one bucket is more than one of it
    takes: how many there would be of smaller ones.
    """
    buckets = math.floor(takes * BUCKETS / rate)
    if buckets >= BUCKETS:
        return 1
    return math.ceil(BUCKETS / buckets) if buckets else math.ceil(rate / takes)


def fullest(needed: int) -> float:
    """The part of all payments that the one with most buckets has."""
    return math.ceil(BUCKETS / needed) / BUCKETS if needed <= BUCKETS else 1 / needed


def _a_core(us: float) -> float:
    """The payments a second of a core that does nothing else."""
    return US / us if us else math.inf


def _a_disk(plan: Plan, bytes_each: float) -> float:
    """The payments a second of a disk, if one was given."""
    return math.inf if plan.disk is None or not bytes_each else plan.disk * MIB / bytes_each


def kept_bytes(measured: Measured) -> dict[str, float]:
    """What a payment leaves in tables and indexes, by how long that is kept."""
    return {name: measured.kept[name].tables + measured.kept[name].indexes for name in KEPT}


def written_by_postgres(measured: Measured) -> float:
    """Bytes a payment: the log, and once each page that stays. Pages that are written more often come on top."""
    return measured.written.wal_bytes + sum(kept_bytes(measured).values())
