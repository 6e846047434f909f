"""The newest payments of all users, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from app.contexts.payments.domain.payment import Status

Place = tuple[datetime, UUID]
"""Where a payment stands in its list: the list's time for it, and its id."""
LOOKED_AT: Final = 2_000
"""Payments that a page of a rare status is looked for among."""


@dataclass(frozen=True, slots=True)
class RecentPayment:
    """A line of the list. Amounts in minor units. `listed_at`: when its answer was stored, or when it was made while
    there is none."""

    id: UUID
    user_id: UUID
    external_reference: str
    amount_minor: int
    currency: str
    status: str
    failure_code: str | None
    created_at: datetime
    finalized_at: datetime | None
    listed_at: datetime

    @property
    def place(self) -> Place:
        """Its place in the list."""
        return self.listed_at, self.id


class RecentPayments(Protocol):
    """Lists of payments, newest first. Both methods raise `Unavailable` while the books are out of reach."""

    async def final(self, before: Place | None, most: int) -> Sequence[RecentPayment]:
        """Those that became final while their keys are kept, from behind a place on."""
        ...

    async def pending(self, before: Place | None, most: int) -> Sequence[RecentPayment]:
        """Those that are PENDING, from behind a place on."""
        ...


@dataclass(frozen=True, slots=True)
class Recent:
    """A page of the list, and where the next one starts, if there is more. `looked_at`: so many were gone through."""

    payments: Sequence[RecentPayment]
    next: Place | None
    looked_at: int


async def recent(records: RecentPayments, status: Status | None, before: Place | None, limit: int) -> Recent:
    """Up to `limit` payments of the status behind a place; of all that are final without a status.

    A status that few have may leave a page short, or empty, though there is a next one: it goes on where this one has
    looked.

    Raises:
        Unavailable: the books are out of reach.
    """
    if status is None or status is Status.PENDING:
        read = records.final if status is None else records.pending
        most = limit + 1
    else:
        read, most = records.final, LOOKED_AT
    found = await read(before, most)
    fitting = [payment for payment in found if status is None or payment.status == status]
    if len(fitting) > limit:
        return Recent(fitting[:limit], fitting[limit - 1].place, len(found))
    return Recent(fitting, found[-1].place if len(found) == most else None, len(found))
