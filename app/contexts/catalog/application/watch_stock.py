"""What operators have to know of the stock: what is reserved for long, and what does not add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What is reserved and neither taken nor given back, what is pinned aside, and the age of the oldest of it; the
    products with reservations that their own figures do not agree with; and what the cache has not been seen to forget.
    """

    reserved: int
    oldest_reserved_s: float
    disagreeing: int
    notes: int
    oldest_note_s: float


class UnsettledStock(Protocol):
    """Looks at it."""

    async def unsettled(self, tenants: Sequence[TenantId]) -> Unsettled:
        """What there is of all of them.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...
