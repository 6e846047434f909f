"""What does not fit between the gateway's report and the books."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId


class Kind(StrEnum):
    """What does not fit. Of a line that has several faults the first of these counts."""

    DOUBLED = "doubled"
    """The report has told of it on an earlier line."""
    MISSING_HERE = "missing_here"
    """The gateway says that it stands, and there is none of it here."""
    STATUS_DIFFERS = "status_differs"
    """The gateway says that it stands, and here it failed, was declined, or is not finished yet."""
    CURRENCY_DIFFERS = "currency_differs"
    AMOUNT_DIFFERS = "amount_differs"
    MISSING_THERE = "missing_there"
    """It stands here since that day, and no report tells of it."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A payment or a refund as the books have it; the amount in minor units."""

    status: str
    amount: int
    currency: str
    finalized_at: datetime | None


@dataclass(frozen=True, slots=True)
class Theirs:
    """A line as the report has it; the amount in minor units."""

    charge_id: UUID
    amount: int
    currency: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not fit. `refund_id` is None for a charge. `line` is that of the run's report, its header
    the first; None where the report has none of it: what is missing there, and a line of an earlier report that was
    carried over. `note` is what whoever resolved it has said.
    """

    id: FindingId
    reconciliation_id: ReconciliationId
    kind: Kind
    payment_id: UUID
    refund_id: UUID | None
    ours: Ours | None
    theirs: Theirs | None
    line: int | None
    resolved_at: datetime | None
    note: str | None
