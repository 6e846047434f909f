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


@dataclass(frozen=True, kw_only=True)
class Part:
    """A kind of process or server; rates are payments a second.

    `one_takes` is what one of it takes at the planned share, as `bound_by` lets it. `at_most` is how many of it work
    for one Strongbox today, None for any number, and `holds` the rate up to which these do; `divided` says into what
    it would be divided to be more. `nodes` and `cores` are what has to be there, copies included.
    """

    name: str
    one: str
    us: float
    one_takes: float
    bound_by: str
    needed: int
    at_most: int | None
    at_most_because: str
    divided: str
    nodes: int
    cores: int

    @property
    def holds(self) -> float:
        return math.inf if self.at_most is None else self.at_most * self.one_takes

    @property
    def is_too_much(self) -> bool:
        return self.at_most is not None and self.needed > self.at_most


def processes(plan: Plan, measured: Measured) -> Sequence[Part]:
    """Each has one event loop, and so one core at the most. A second one of each is for when the first one dies."""
    chain = measured.chain_rate / measured.written.events
    return (
        _process(plan, "api", measured.cpu_us["api"]),
        _process(
            plan,
            "relay",
            measured.cpu_us["relay"],
            PARTITIONS,
            "each needs a partition of its own",
            "relays, of as many partitions",
        ),
        _process(plan, "recover", measured.cpu_us["recover"]),
        _process(plan, "metrics", measured.cpu_us["metrics"]),
        _process(
            plan,
            "audit",
            measured.cpu_us["audit"],
            1,
            "all take turns at one hash chain",
            "chains by bucket",
            chain,
        ),
    )


def _process(
    plan: Plan,
    name: str,
    us: float,
    at_most: int | None = None,
    because: str = "",
    divided: str = "",
    serial: float = math.inf,
) -> Part:
    takes, bound_by = min((_a_core(us), "its core"), (serial, "its turns"))
    needed = max(math.ceil(plan.payments_per_second / (takes * plan.part)), 2 if at_most != 1 else 1)
    return Part(
        name=name,
        one="process",
        us=us,
        one_takes=takes * plan.part,
        bound_by=bound_by,
        needed=needed,
        at_most=at_most,
        at_most_because=because,
        divided=divided,
        nodes=needed,
        cores=needed,
    )


def postgres(plan: Plan, measured: Measured) -> Part:
    us, written = measured.cpu_us["postgres"], written_by_postgres(measured)
    takes, bound_by = min((plan.cores * _a_core(us), "its cores"), (_a_disk(plan, written), "its disk"))
    shards = _by_bucket(plan.payments_per_second, takes * plan.part)
    nodes = shards * (1 + plan.standbys)
    return Part(
        name="postgres",
        one="primary",
        us=us,
        one_takes=takes * plan.part,
        bound_by=bound_by,
        needed=shards,
        at_most=1,
        at_most_because="one database has all rows",
        divided="shards by bucket",
        nodes=nodes,
        cores=nodes * plan.cores,
    )


def rabbitmq(plan: Plan, measured: Measured) -> Part:
    """A queue is led by one process of the broker's, whose work one core does: more cores than queues help nobody."""
    us = measured.cpu_us["rabbitmq"]
    cores = min(plan.cores, math.ceil(measured.written.messages / measured.written.events))
    takes, bound_by = min(
        (cores * _a_core(us), "its cores" if cores == plan.cores else "its queues"),
        (_a_disk(plan, measured.written.broker_bytes), "its disk"),
    )
    clusters = _by_bucket(plan.payments_per_second, takes * plan.part)
    nodes = clusters * plan.members
    return Part(
        name="rabbitmq",
        one="cluster",
        us=us,
        one_takes=takes * plan.part,
        bound_by=bound_by,
        needed=clusters,
        at_most=1,
        at_most_because="all relays publish to one",
        divided="clusters by bucket",
        nodes=nodes,
        cores=nodes * cores,
    )


def redis(plan: Plan, measured: Measured) -> Part:
    """It does its work in one thread."""
    us = measured.cpu_us["redis"] + plan.limits * measured.limit_us
    takes = _a_core(us)
    needed = max(math.ceil(plan.payments_per_second / (takes * plan.part)), 1)
    return Part(
        name="redis",
        one="primary",
        us=us,
        one_takes=takes * plan.part,
        bound_by="its core",
        needed=needed,
        at_most=1,
        at_most_because="no Redis Cluster is spoken to",
        divided="primaries, by who asks",
        nodes=needed,
        cores=needed,
    )


def _by_bucket(rate: float, takes: float) -> int:
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
