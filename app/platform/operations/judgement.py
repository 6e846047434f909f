"""What the figures of a part say about its health."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from app.platform.messaging.ports import in_words
from app.platform.operations import replication
from app.platform.operations.health import LATE_S, Health, State
from app.platform.operations.replication import Replication

NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """A database. `missing`: migrations that were not run; `problems`: what keeps services from working in it, by name;
    `reordered`: how the order of texts has changed.
    """

    version: str
    schema: int
    missing: Sequence[str]
    connections: int
    connections_most: int
    replication: Replication
    problems: Mapping[str, str] = field(default_factory=dict)
    reordered: str | None = None


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """The outbox. `failing`: events the broker refused; `leases`: partitions by the relay that holds them."""

    depth: int
    oldest_unsent_s: float
    failing: int
    last_error: str | None
    leases: Mapping[str, int]
    partitions: int
    last_sent_at: datetime | None
    oldest_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsumerFigures:
    """How many of the events sent last, but not just now, a consumer has not; when the oldest of those was sent."""

    missing: int
    sent_s_ago: float
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """A queue's waiting messages and its consumers; None where it does not exist."""

    messages: int
    consumers: int


def database(figures: DatabaseFigures) -> Health:
    """Whether the schema is there, connections are left, and COMMITs find their standby."""
    used = f"{figures.connections} of {figures.connections_most} connections"
    server = f"PostgreSQL {figures.version}, schema {figures.schema}, {used}"
    seen = "; ".join((server, *replication.seen(figures.replication)))
    state, hint = State.OK, None
    if figures.problems:
        state, hint = State.DOWN, "; ".join(f"{name}: {problem}" for name, problem in figures.problems.items())
    elif wrong := replication.trouble(figures.replication, LATE_S):
        state, hint = State.DEGRADED, wrong
    elif figures.connections >= NEARLY_FULL * figures.connections_most:
        state, hint = State.DEGRADED, "few connections are left: see pg_stat_activity"
    elif figures.reordered:
        state, hint = State.DEGRADED, figures.reordered
    return Health(state, seen, hint, asdict(figures))


def outbox(figures: OutboxFigures) -> Health:
    """Whether events leave."""
    seen = f"{in_words(figures.depth)} unsent"
    if figures.depth:
        seen += f", the oldest for {figures.oldest_unsent_s:.1f} s"
    leased = sum(figures.leases.values())
    seen += f"; {len(figures.leases)} relay(s) hold {leased} of {figures.partitions} partitions"
    state, hint = State.OK, None
    if not figures.leases:
        state, hint = State.DOWN, "no relay holds a lease: start `strongbox relay`"
    elif figures.failing:
        state, hint = State.DEGRADED, f"{figures.failing} event(s) refused by the broker: {figures.last_error}"
    elif figures.oldest_unsent_s > LATE_S:
        state, hint = State.DEGRADED, "events wait: look for `relay_waits` in the relay's log"
    return Health(state, seen, hint, asdict(figures))


def consumers(figures: Mapping[str, ConsumerFigures]) -> Health:
    """Whether consumers have what was sent."""
    behind = [name for name, figure in figures.items() if figure.missing]
    seen = "; ".join(
        f"{name} {'behind' if name in behind else 'up to date'}"
        + (f", newest of {figure.newest_at:%Y-%m-%d %H:%M:%S}Z" if figure.newest_at else "")
        for name, figure in figures.items()
    )
    if not behind:
        return Health(State.OK, seen, None, _as_dicts(figures))
    late_s = max(figures[name].sent_s_ago for name in behind)
    hint = (
        f"{' and '.join(behind)}: an event sent {late_s:.0f} s ago is missing: see the queue, the dead letters,"
        " and `message_stuck` in the log"
    )
    return Health(State.DEGRADED, seen, hint, _as_dicts(figures))


def broker(
    figures: Mapping[str, QueueFigures | None], forbidden: Sequence[str] = (), workers: Collection[str] = ()
) -> Health:
    """Whether the queues are there, and somebody takes what comes. `forbidden`: those that we may not declare;
    `workers`: those that a worker of `strongbox` takes from."""
    missing = [name for name, figure in figures.items() if figure is None]
    alone = [name for name, figure in figures.items() if figure is not None and not figure.consumers]
    seen = ", ".join(
        f"{name} {'missing' if figure is None else f'{figure.messages} waiting, {figure.consumers} consumer(s)'}"
        for name, figure in figures.items()
    )
    state, hint = State.OK, None
    if forbidden:
        state = State.DOWN
        hint = f"the broker's user has no permission `configure` for {', '.join(forbidden)}: nobody can declare them"
    elif missing:
        state, hint = State.DOWN, "start `strongbox relay`, or the consumers: they declare what is missing"
    elif alone:
        takers = ("strongbox" if name in workers else "python -m consumers" for name in alone)
        names = " and ".join(f"`{how} {name.partition('.')[0]}`" for how, name in zip(takers, alone, strict=True))
        state, hint = State.DEGRADED, f"nobody consumes: start {names}"
    return Health(state, seen, hint, _as_dicts(figures))


def dead_letters(counts: Mapping[str, int]) -> Health:
    """Whether there are none."""
    seen = ", ".join(f"{name} {count}" for name, count in counts.items())
    if not any(counts.values()):
        return Health(State.OK, seen, None, counts)
    return Health(State.DEGRADED, seen, "look at them: `strongbox dlq ls`", counts)


def _as_dicts(figures: Mapping[str, ConsumerFigures | QueueFigures | None]) -> dict[str, object]:
    return {name: None if figure is None else asdict(figure) for name, figure in figures.items()}
