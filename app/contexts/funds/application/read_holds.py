"""Read a page of what is set aside of a user's money, and of what was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.funds.application.read_transactions import Position
from app.kernel.ids import UserId


class HoldLine(NamedTuple):
    """A hold, and for whose business it is; `captured` went to others, `released` came back. In minor units."""

    hold_id: UUID
    context: str
    business_id: UUID
    amount: int
    captured: int
    released: int
    currency: str
    status: str
    created_at: datetime
    expires_at: datetime | None


class HoldReader(Protocol):
    """Reads a user's holds."""

    async def holds(self, user_id: UserId, before: Position | None, limit: int) -> Sequence[HoldLine]:
        """Up to `limit` holds older than `before` (time and id of one), newest first."""
        ...


@dataclass(frozen=True, slots=True)
class HoldPage:
    """Holds, newest first, and where the next page starts, if there is one."""

    holds: Sequence[HoldLine]
    next: Position | None


async def read_holds(reader: HoldReader, user_id: UserId, after: Position | None, limit: int) -> HoldPage:
    """The page of up to `limit` holds behind `after`."""
    found = await reader.holds(user_id, after, limit + 1)
    page = found[:limit]
    return HoldPage(page, (page[-1].created_at, page[-1].hold_id) if len(found) > limit else None)
