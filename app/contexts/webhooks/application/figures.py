"""What is seen of webhooks as a whole."""

from dataclasses import asdict, dataclass
from typing import Protocol

from app.platform.operations.health import LATE_S, Health, State


@dataclass(frozen=True, slots=True)
class Totals:
    """`late_s`: how long what is due has waited for a sender at the most. The others are numbers of endpoints: to which
    is sent, to which not, of those to which is sent those where the last thing failed, and where nobody answers."""

    late_s: float
    active: int
    disabled: int
    failing: int
    silent: int


class Figures(Protocol):
    """Adds it up. Raises Unavailable where it cannot be told now."""

    async def totals(self) -> Totals:
        """As it is now."""
        ...


def health_of_webhooks(totals: Totals) -> Health:
    """Whether what is due is sent. That somebody does not take it is no fault of ours."""
    seen = f"{totals.active} active, {totals.failing} of them failing, {totals.disabled} disabled"
    if totals.late_s <= LATE_S:
        return Health(State.OK, seen, None, asdict(totals))
    hint = "nobody sends: start `strongbox webhooks`, or `strongbox relay` where there is no RabbitMQ"
    return Health(State.DOWN, f"{seen}; due for {totals.late_s:.1f} s", hint, asdict(totals))
