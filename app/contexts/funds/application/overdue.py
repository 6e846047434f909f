"""Holds whose time is over and that nobody has released yet, and what that says of recovery."""

from dataclasses import asdict, dataclass

from app.platform.operations.health import LATE_S, Health, State


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many holds are overdue, and for how long the oldest is."""

    count: int
    oldest_s: float


def health_of_holds(overdue: Overdue) -> Health:
    """Whether what is set aside comes back in time."""
    seen = f"{overdue.count} overdue" + (f", the oldest for {overdue.oldest_s:.1f} s" if overdue.count else "")
    if overdue.oldest_s <= LATE_S:
        return Health(State.OK, seen, None, asdict(overdue))
    return Health(State.DOWN, seen, "nobody releases them: start `strongbox recover`", asdict(overdue))
