"""A request to refund, and how it ends."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.contexts.funds.public import BalanceLimit
from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refusals import PaymentNotApproved, RefundTooLarge
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyScope

StoredRefusal = PaymentNotApproved | RefundTooLarge | BalanceLimit
"""Why nothing comes of a request: the answer that is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to give back so much of a payment, in minor units, or what is left of it.

    The refund's id is chosen once: running it again, whatever happened before, is the same request, to the books and to
    the gateway. `keeps_keys`: what has no tenant is this tenant's, who has given out API_KEYS.
    """

    refund_id: RefundId
    payment_id: PaymentId
    tenant_id: TenantId
    keeps_keys: bool
    asked_by: UUID
    key: str
    fingerprint: bytes
    amount_minor: int | None = None
    reason: str | None = None
    traceparent: str | None = None

    @property
    def scope(self) -> KeyScope:
        """What its idempotency key is unique within."""
        return UserId(self.asked_by), self.key

    def may_be_of(self, payment: Payment) -> bool:
        """Whether the payment is its tenant's."""
        return self.keeps_keys if payment.tenant_id is None else payment.tenant_id == self.tenant_id


@dataclass(frozen=True, slots=True)
class RefundPending:
    """The refund is promised, and nobody may guess what the gateway does: recovery will tell. `why` it is not known."""

    refund: Refund
    why: FailureCode


class RefundAnswers(Protocol):
    """Makes the responses that are stored with their key: for the same the same bytes."""

    def settled(self, refund: Refund) -> Answer:
        """The response to a refund that is final."""
        ...

    def refused(self, refusal: StoredRefusal) -> Answer:
        """The response to one that cannot be."""
        ...
