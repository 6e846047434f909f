"""A request to pay, and what its idempotency key is unique within."""

from dataclasses import dataclass

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.platform.idempotency.keys import KeyScope


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A request to pay. Its ids are chosen once: running it again, whatever happened before, is the same request."""

    payment_id: PaymentId
    transaction_id: TransactionId
    user_id: UserId
    key: str
    fingerprint: bytes
    provider_id: ProviderId
    external_reference: str
    money: Money
    traceparent: str | None = None

    @property
    def scope(self) -> KeyScope:
        """What its idempotency key is unique within."""
        return (self.user_id, self.key)
