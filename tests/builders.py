"""Valid things with sensible defaults: a test says only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.refusals import InsufficientFunds
from app.contexts.funds.domain.wallet import Wallet
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.domain.ids import PaymentId, ProviderId, RefundId
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refund import Refund
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
USD = Currency("USD")
EUR = Currency("EUR")


class CountingIds:
    """Identifiers in order, the same in every run."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def __call__(self) -> UUID:
        self._next += 1
        return UUID(int=self._next)


class PlainAnswers:
    """Answers that a test can read: `201 APPROVED <payment id>`."""

    def settled(self, payment: Payment) -> Answer:
        status = 502 if payment.failure_code == "GATEWAY_ERROR" else 504
        if payment.status is not Status.FAILED:
            status = 201
        return Answer(status, f"{payment.status} {payment.id}".encode())

    def refused(self, refusal: InsufficientFunds) -> Answer:
        return Answer(409, f"{refusal.code} {refusal.current_balance} < {refusal.amount}".encode())


def user_id() -> UserId:
    return UserId(uuid4())


def provider_id() -> ProviderId:
    return ProviderId(uuid4())


def money(amount_minor: int = 1_000, currency: Currency = USD) -> Money:
    return Money(amount_minor, currency)


def wallet(balance_minor: int = 10_000, currency: Currency = USD, version: int = 1) -> Wallet:
    return Wallet(user_id(), currency, balance_minor, version)


def payment(**overrides: Any) -> Payment:
    """A pending payment of 10.00 USD."""
    pending = Payment(
        id=PaymentId(uuid4()),
        transaction_id=TransactionId(uuid4()),
        user_id=user_id(),
        idempotency_key="key",
        provider_id=provider_id(),
        external_reference="invoice 7",
        money=money(),
        created_at=NOON,
    )
    return pending._replace(**overrides)


def refund(**overrides: Any) -> Refund:
    """A pending refund of 2.50 USD."""
    pending = Refund(
        id=RefundId(uuid4()),
        payment_id=PaymentId(uuid4()),
        user_id=user_id(),
        tenant_id=TenantId(uuid4()),
        asked_by=uuid4(),
        idempotency_key="key",
        money=money(250),
        reason=None,
        created_at=NOON,
    )
    return pending._replace(**overrides)


def payment_request(**overrides: Any) -> PaymentRequest:
    """A request to pay 10.00 USD. Its fingerprint follows from what it asks for, unless given."""
    request = PaymentRequest(
        payment_id=PaymentId(uuid4()),
        transaction_id=TransactionId(uuid4()),
        user_id=user_id(),
        key=f"key-{uuid4()}",
        fingerprint=b"",
        provider_id=provider_id(),
        external_reference="invoice 7",
        money=money(),
    )
    request = replace(request, **overrides)
    if "fingerprint" in overrides:
        return request
    asked = f"{request.provider_id} {request.external_reference} {request.money}"
    return replace(request, fingerprint=asked.encode())


def again(request: PaymentRequest, **overrides: Any) -> PaymentRequest:
    """The client's retry: the same request under the same key, with the new ids that each arrival gets."""
    fresh = {"payment_id": PaymentId(uuid4()), "transaction_id": TransactionId(uuid4())}
    return replace(request, **(fresh | overrides))
