"""What the books have of one transfer, and of one hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.funds.domain.hold import Hold
from app.kernel.ids import UserId
from app.platform.operations.trail import WrittenEvent


class Leg(NamedTuple):
    """An entry of the ledger, with whose it is and its transaction's kind. Amounts in minor units."""

    user_id: UUID
    kind: str
    account: str
    amount_minor: int
    balance_after_minor: int | None
    created_at: datetime


class KeyRecord(NamedTuple):
    """The request by whose key it was done: whose key, a digest of it, and the answer."""

    principal: UUID
    key_digest: str
    finalized_at: datetime
    response_status: int


class OperationRow(NamedTuple):
    """An operation of a context's business: `outcome` is its answer as it is kept, None of a forbidden one."""

    name: str
    created_at: datetime
    outcome: str | None


class Part(NamedTuple):
    """What of a capture went to whom, in minor units."""

    user_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedTransfer:
    """A transfer; without a sender it was paid in."""

    id: UUID
    sender: UserId | None
    recipient: UserId
    amount_minor: int
    currency: str
    note: str | None
    reference: str | None
    business_id: UUID | None
    created_at: datetime
    legs: Sequence[Leg]
    key: KeyRecord | None
    events: Sequence[WrittenEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedHold:
    """A hold. `fee_minor` is what of its capture went to the house. `is_whole`: whether all legs were looked for.
    `now`: the books' clock."""

    hold: Hold
    legs: Sequence[Leg]
    parts: Sequence[Part]
    fee_minor: int
    operations: Sequence[OperationRow]
    events: Sequence[WrittenEvent]
    is_whole: bool
    now: datetime


class StoryRecords(Protocol):
    """Looks into the books, each time in one snapshot. Raises `Unavailable` while they are out of reach."""

    async def transfer(self, transfer_id: UUID) -> BookedTransfer | None:
        """All of a transfer's rows."""
        ...

    async def hold(self, hold_id: UUID) -> BookedHold | None:
        """All of a hold's rows."""
        ...

    async def place_of(self, wanted: UUID) -> str | None:
        """The path of the page about whatever of funds has that id, or of the payment that its transaction is of."""
        ...
