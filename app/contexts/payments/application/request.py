"""A request to pay, and what its idempotency key is unique within."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import KeyScope


@dataclass(frozen=True, slots=True, order=True)
class KeyOfV1:
    """A key of `/v1`, which is never one of `/wallets`: those of whoever asks, over all routes."""

    asked_by: UUID
    key: str


Scope = KeyScope | KeyOfV1
"""What a payment's idempotency key is unique within: its user, or whoever asked for it on `/v1`."""


def scope_of(user_id: UserId, asked_by: UUID | None, key: str) -> Scope:
    """The scope of a payment of the user's, for which somebody else may have asked."""
    return (user_id, key) if asked_by is None else KeyOfV1(asked_by, key)


def scope_of_payment(payment: Payment) -> Scope:
    """The scope of the payment's key."""
    return scope_of(payment.user_id, payment.asked_by, payment.idempotency_key)


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
    tenant_id: TenantId | None = None
    asked_by: UUID | None = None
    """Who asks on `/v1`; on `/wallets` nobody who is known does."""
    metadata: Mapping[str, str] | None = None

    @property
    def scope(self) -> Scope:
        """What its idempotency key is unique within."""
        return scope_of(self.user_id, self.asked_by, self.key)
