"""What is asked of cashback under an Idempotency-Key, and how it ends."""

from dataclasses import dataclass
from typing import Protocol

from app.contexts.rewards.domain.ids import PurchaseId, RefundId
from app.contexts.rewards.domain.refusals import (
    PurchaseNotFound,
    ReferenceReused,
    RefundTooLarge,
    UserNotFound,
)
from app.contexts.rewards.domain.sale import Purchase, Refund
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, Answered, KeyScope
from app.platform.idempotency.refusals import KeyInProgress, KeyReused


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyRequest:
    """A request to record what somebody has bought.

    `scope` is the key with whoever asks. The id is chosen once: running it again, whatever happened before, is the same
    request.
    """

    scope: KeyScope
    fingerprint: bytes
    tenant_id: TenantId
    purchase_id: PurchaseId
    user_id: UserId
    merchant: str
    reference: str
    money: Money
    category: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to take back the cashback of a purchase, of which so much (or all that is left) was given back. See
    `BuyRequest`."""

    scope: KeyScope
    fingerprint: bytes
    tenant_id: TenantId
    refund_id: RefundId
    purchase_id: PurchaseId
    amount_minor: int | None
    reference: str
    traceparent: str | None = None


class Answers(Protocol):
    """Makes the responses that are stored with their key: for the same the same bytes."""

    def bought(self, purchase: Purchase) -> Answer:
        """The response to a purchase that is recorded."""
        ...

    def refunded(self, refund: Refund, purchase: Purchase) -> Answer:
        """The response to a refund of it."""
        ...

    def refused(self, refusal: ReferenceReused | RefundTooLarge) -> Answer:
        """The response to what could not be."""
        ...


Result = Answered | KeyReused | KeyInProgress | UserNotFound | PurchaseNotFound | Unavailable
"""Of a request: a refusal is a value, and takes nobody else down. Only an answer has left a trace."""
