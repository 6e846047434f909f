"""What is outstanding of cashback, as whoever watches over it needs it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.kernel.principal import TenantId


class Totals(NamedTuple):
    """Base units of all users, by where they are; entries that are being minted, events that wait for their user."""

    accrued: int = 0
    minting: int = 0
    minted: int = 0
    debt: int = 0
    entries_minting: int = 0
    oldest_minting_s: float = 0.0
    parked: int = 0


class Figures(Protocol):
    """Adds it up. Raises Unavailable where that cannot be done now."""

    async def totals(self, tenants: Sequence[TenantId]) -> Totals:
        """Of these tenants' users."""
        ...
