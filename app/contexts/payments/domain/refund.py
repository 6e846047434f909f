"""A refund: a promise that something of an approved payment comes back. PENDING → COMPLETED or REFUSED, once."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.outcome import Refunded, RefundOutcome
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refusals import PaymentNotApproved, RefundTooLarge
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId


class RefundStatus(StrEnum):
    """Where a refund stands. All but PENDING are final."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    REFUSED = "REFUSED"


class NotPending(Exception):  # noqa: N818 -- it tells where the refund stands
    """The refund is final already."""


class Refund(NamedTuple):
    """Something of a payment that is given back to its user. Times are the database's, in UTC."""

    id: RefundId
    payment_id: PaymentId
    user_id: UserId
    tenant_id: TenantId
    asked_by: UUID
    idempotency_key: str
    money: Money
    reason: str | None
    created_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    failure_code: str | None = None
    finalized_at: datetime | None = None
    traceparent: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status will never change again."""
        return self.status is not RefundStatus.PENDING

    def settle(self, outcome: RefundOutcome, at: datetime) -> "Refund":
        """The refund, final.

        Raises:
            NotPending: it is final already.
        """
        if self.is_final:
            raise NotPending
        at = max(at, self.created_at)  # the clock may have gone back
        if isinstance(outcome, Refunded):
            return self._replace(status=RefundStatus.COMPLETED, finalized_at=at)
        return self._replace(status=RefundStatus.REFUSED, failure_code=outcome.code, finalized_at=at)


def refundable(payment: Payment, promised_minor: int, wanted_minor: int | None) -> Money:
    """What is given back of a payment, of which so much is promised or given back already: all that is left, or less.

    Raises:
        PaymentNotApproved: nothing was paid.
        RefundTooLarge: that much is not left.
    """
    if payment.status is not Status.APPROVED:
        raise PaymentNotApproved(payment.status)
    left_minor = payment.money.amount_minor - promised_minor
    amount_minor = left_minor if wanted_minor is None else wanted_minor
    if not 1 <= amount_minor <= left_minor:
        raise RefundTooLarge(left_minor)
    return Money(amount_minor, payment.money.currency)
