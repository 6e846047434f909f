"""What waits to be looked into."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from app.kernel.principal import TenantId


class Totals(NamedTuple):
    """Findings that nobody has resolved, the days that they are of, and the last day that was reconciled."""

    unresolved: int
    days: int
    last: date | None


class Figures(Protocol):
    """Adds it up."""

    async def totals(self, tenants: Sequence[TenantId]) -> Mapping[TenantId, Totals]:
        """For each of the tenants.

        Raises:
            Unavailable: the database is out of reach.
        """
        ...
