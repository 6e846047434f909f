"""What is left PENDING, and what that says of recovery."""

from dataclasses import asdict, dataclass

from app.platform.operations.health import LATE_S, Health, State


@dataclass(frozen=True, slots=True)
class Backlog:
    """PENDING payments: how many, the oldest's age, and how many are due that no recovery ever took."""

    count: int
    oldest_s: float
    never_taken: int


def health_of_recovery(backlog: Backlog, recover_after_s: float) -> Health:
    """Whether payments left PENDING are finished in time."""
    seen = f"{backlog.count} PENDING" + (f", the oldest for {backlog.oldest_s:.1f} s" if backlog.count else "")
    state, hint = State.OK, None
    if backlog.never_taken:
        state, hint = State.DOWN, f"{backlog.never_taken} due and never taken: start `strongbox recover`"
    elif backlog.oldest_s > recover_after_s + LATE_S:
        state, hint = State.DEGRADED, "the gateway does not answer about them, or `strongbox recover` is not running"
    return Health(state, seen, hint, asdict(backlog))
