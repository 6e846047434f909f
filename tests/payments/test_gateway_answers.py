"""What each answer of the gateway means, and that anything else means nothing."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.payments.adapters.gateway.client import GatewayClient
from app.contexts.payments.adapters.gateway.exchange import AttemptFailedError, Exchange
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.outcome import Absent, Approved, Declined, FailureCode, Mismatched, Unknown, Voided
from app.contexts.payments.domain.payment import Payment
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money

ERROR = FailureCode.GATEWAY_ERROR
ANOTHER_ID = "00000000-0000-4000-8000-00000000beef"


def a_payment() -> Payment:
    return Payment(
        id=PaymentId(uuid4()),
        transaction_id=TransactionId(uuid4()),
        user_id=UserId(uuid4()),
        idempotency_key="key",
        provider_id=ProviderId(UUID("6a0e0f4e-50c4-4f0f-9a5e-6f1f4b0d1a11")),
        external_reference="Rechnung № 7",
        money=Money(12_345, Currency("USD")),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def charge_of(payment: Payment, **changed: Any) -> bytes:
    charge = {
        "charge_id": "c-1",
        "payment_id": str(payment.id),
        "amount": payment.money.amount_minor,
        "currency": payment.money.currency,
        "status": "APPROVED",
        "decline_code": None,
    }
    return json.dumps(charge | changed).encode()


def tombstone_of(payment: Payment, **changed: Any) -> bytes:
    return json.dumps({"payment_id": str(payment.id), "status": "VOIDED"} | changed).encode()


PAYMENT = a_payment()
CHARGE = charge_of(PAYMENT)
DECLINED = charge_of(PAYMENT, status="DECLINED", decline_code="DO_NOT_HONOR")
TOMBSTONE = tombstone_of(PAYMENT)

NO_CHARGE = {
    "empty": b"",
    "not JSON": b"<html>",
    "not UTF-8": CHARGE.replace(b"USD", b"US\xff"),
    "a list": b"[]",
    "too deep": CHARGE[:-1] + b', "x": ' + b"[" * 50_000,
    "something after it": CHARGE + b"{}",
    "no status": b'{"payment_id": "%s"}' % str(PAYMENT.id).encode(),
    "another status": charge_of(PAYMENT, status="PENDING"),
    "a status in lower case": charge_of(PAYMENT, status="approved"),
    "no charge id": CHARGE.replace(b"charge_id", b"charge"),
    "an amount that is text": charge_of(PAYMENT, amount="12345"),
    "an amount that is a fraction": CHARGE.replace(b"12345", b"12345.0"),
    "a decline code that is a number": charge_of(PAYMENT, status="DECLINED", decline_code=51),
    "a decline code too long": charge_of(PAYMENT, status="DECLINED", decline_code="X" * 101),
    "a decline code with a NUL": charge_of(PAYMENT, status="DECLINED", decline_code="A\0B"),
    "a decline code with a newline at its end": charge_of(PAYMENT, status="DECLINED", decline_code="A\n"),
    "a decline code with a C1 control": charge_of(PAYMENT, status="DECLINED", decline_code="A\u009b"),
}
MISMATCHED = {
    "another payment": charge_of(PAYMENT, payment_id=ANOTHER_ID),
    "another amount": charge_of(PAYMENT, amount=12_346),
    "another currency": charge_of(PAYMENT, currency="EUR"),
    "declined, another amount": charge_of(PAYMENT, amount=1, status="DECLINED"),
}


async def after(answer: tuple[int, bytes], operation: str) -> object:
    """What one request comes to; a failed attempt as the Unknown that it makes of a payment."""
    status, body = answer
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    exchange = Exchange("http://gateway", transport)
    client = GatewayClient(exchange)
    try:
        return await getattr(client, operation)(PAYMENT, 0.0)
    except AttemptFailedError as failure:
        return Unknown(failure.why) if failure.sent else failure
    finally:
        await exchange.aclose()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((201, CHARGE), Approved()),
        ((200, CHARGE), Approved()),
        ((201, charge_of(PAYMENT, payment_id=str(PAYMENT.id).upper(), more={"a": 1})), Approved()),
        ((201, DECLINED), Declined("DO_NOT_HONOR")),
        ((200, DECLINED), Declined("DO_NOT_HONOR")),
        ((201, charge_of(PAYMENT, status="DECLINED")), Declined("DECLINED")),
        ((409, TOMBSTONE), Voided(ERROR)),
        ((409, tombstone_of(PAYMENT, payment_id=ANOTHER_ID)), Unknown(ERROR)),
        ((409, CHARGE), Unknown(ERROR)),
        ((409, b""), Unknown(ERROR)),
        ((200, TOMBSTONE), Unknown(ERROR)),
        ((201, TOMBSTONE), Unknown(ERROR)),
        *[((status, CHARGE), Unknown(ERROR)) for status in (202, 206, 302, 307, 400, 404, 422, 429, 500, 503)],
        ((204, b""), Unknown(ERROR)),
    ],
)
async def test_a_charge_means_what_the_contract_says_and_nothing_else(
    answer: tuple[int, bytes], outcome: object
) -> None:
    assert await after(answer, "charge") == outcome


@pytest.mark.parametrize("body", [*NO_CHARGE.values(), *MISMATCHED.values()], ids=[*NO_CHARGE, *MISMATCHED])
async def test_a_charge_answered_with_anything_else_is_unknown(body: bytes) -> None:
    assert await after((201, body), "charge") == Unknown(ERROR)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, CHARGE), Approved()),
        ((200, DECLINED), Declined("DO_NOT_HONOR")),
        ((200, TOMBSTONE), Voided(ERROR)),
        ((404, b""), Absent()),
        ((200, tombstone_of(PAYMENT, payment_id=ANOTHER_ID)), Unknown(ERROR)),
        *[((200, body), Mismatched()) for body in MISMATCHED.values()],
        *[((200, body), Unknown(ERROR)) for body in NO_CHARGE.values()],
        *[((status, CHARGE), Unknown(ERROR)) for status in (201, 302, 409, 410, 429, 500)],
    ],
)
async def test_an_answer_to_a_question_means_what_the_contract_says(answer: tuple[int, bytes], outcome: object) -> None:
    assert await after(answer, "ask") == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, TOMBSTONE), Voided(ERROR)),
        ((200, DECLINED), Declined("DO_NOT_HONOR")),
        ((200, tombstone_of(PAYMENT, status="DECLINED")), Declined("DECLINED")),
        ((200, charge_of(PAYMENT, status="DECLINED", amount=1)), Unknown(ERROR)),
        ((200, tombstone_of(PAYMENT, payment_id=ANOTHER_ID)), Unknown(ERROR)),
        ((200, CHARGE), Unknown(ERROR)),
        ((200, b""), Unknown(ERROR)),
        *[((status, TOMBSTONE), Unknown(ERROR)) for status in (201, 204, 302, 404, 409, 500)],
    ],
)
async def test_a_void_is_confirmed_by_the_contracts_answer_alone(answer: tuple[int, bytes], outcome: object) -> None:
    assert await after(answer, "void") == outcome
