"""What is seen of webhooks as a whole."""

from dataclasses import dataclass
from typing import Protocol


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
