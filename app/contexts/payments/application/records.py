"""What the books have of one payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.platform.operations.trail import WrittenEvent


@dataclass(frozen=True, slots=True)
class Leg:
    """An entry of the ledger, with its transaction's id and kind. Amounts in minor units."""

    transaction_id: UUID
    kind: str
    account: str
    amount_minor: int
    balance_after_minor: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where an idempotency key stands; it is final once it has an answer."""

    created_at: datetime
    finalized_at: datetime | None
    response_status: int | None


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """What the books have of a refund. `recover_after`: recovery leaves it alone until then. `now`: their clock."""

    refund: Refund
    recover_after: datetime | None
    now: datetime
    legs: Sequence[Leg]
    key: KeyState | None
    events: Sequence[WrittenEvent]


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books have of a payment. `recover_after`: recovery leaves it alone until then. `now`: their clock.

    Its legs are those of its refunds, too, of which there are the newest.
    """

    payment: Payment
    provider_name: str | None
    recover_after: datetime | None
    now: datetime
    legs: Sequence[Leg]
    key: KeyState | None
    events: Sequence[WrittenEvent]
    refunds: Sequence[Refund] = ()


class PaymentRecords(Protocol):
    """Looks into the books. Raises `Unavailable` while they are out of reach."""

    async def payment(self, payment_id: UUID) -> Booked | None:
        """All of the payment's rows in one snapshot."""
        ...


class RefundRecords(Protocol):
    """The same, of refunds."""

    async def refund(self, refund_id: UUID) -> BookedRefund | None:
        """All of the refund's rows in one snapshot."""
        ...
