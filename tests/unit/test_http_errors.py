"""The table from errors to answers, and the answers that are stored."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from app.adapters.http.answers import HttpAnswers
from app.adapters.http.errors import STATUS, problem_of
from app.adapters.shapes import payment_shape, refund_shape, timestamp
from app.domain.ids import PaymentId, ProviderId, TransactionId, UserId
from app.domain.money import Currency, Money
from app.domain.payments.payment import Payment
from app.domain.payments.provider import Approved, FailureCode, NotSent
from app.domain.refusals import (
    BalanceLimit,
    GatewayUnavailable,
    InsufficientFunds,
    KeyInProgress,
    KeyReused,
    ProviderNotFound,
    Refusal,
    UserNotFound,
    WalletNotFound,
)

AT = datetime(2026, 1, 31, 12, 0, 0, 7, tzinfo=UTC)
ID = UUID("2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60")
PAYMENT = Payment(
    PaymentId(ID), TransactionId(ID), UserId(ID), "key", ProviderId(ID), "ref", Money(5, Currency("USD")), AT
)

REFUSALS: list[Refusal] = [
    UserNotFound(),
    WalletNotFound(Currency("USD")),
    ProviderNotFound(),
    InsufficientFunds(Currency("USD"), 1, 5),
    KeyInProgress(PaymentId(ID)),
    KeyReused(),
    GatewayUnavailable(3),
]


def test_every_refusal_that_http_can_meet_has_its_answer() -> None:
    # The others come of what HTTP does not offer, such as funding.
    met = {refusal for refusal in Refusal.__subclasses__() if refusal.code in STATUS}
    assert met == {type(refusal) for refusal in REFUSALS}
    for refusal in REFUSALS:
        problem = problem_of(refusal)
        assert (problem.code, problem.status) == (refusal.code, STATUS[refusal.code])
        assert json.loads(problem.body)["error"]["message"] == str(refusal)


def test_a_refusal_that_http_does_not_know_is_a_bug() -> None:
    assert problem_of(BalanceLimit()).code == "INTERNAL"


def test_the_funds_that_were_missing_are_told_alike_from_the_store_and_from_the_table() -> None:
    refusal = InsufficientFunds(Currency("USD"), 1, 5)
    assert HttpAnswers().refused(refusal).body == problem_of(refusal).body


@pytest.mark.parametrize(("outcome", "status"), [(Approved(), 201), (NotSent(FailureCode.DEADLINE_EXCEEDED), 504)])
def test_a_settled_payment_is_answered_by_its_status(outcome: Approved | NotSent, status: int) -> None:
    assert HttpAnswers().settled(PAYMENT.settle(outcome, AT)).status == status


def test_a_request_whose_time_was_over_is_answered_as_a_time_out_that_blames_nobody() -> None:
    failed = PAYMENT.settle(NotSent(FailureCode.DEADLINE_EXCEEDED), AT)
    error = json.loads(HttpAnswers().settled(failed).body)["error"]
    assert (failed.failure_code, error["code"]) == ("DEADLINE_EXCEEDED", "GATEWAY_TIMEOUT")
    assert error["message"].startswith("the request's time was over; the payment failed and its funds are back")


def test_times_are_in_utc_with_microseconds_always() -> None:
    assert timestamp(AT) == "2026-01-31T12:00:00.000007Z"
    elsewhere = AT.replace(microsecond=0).astimezone(timezone(timedelta(hours=-7)))
    assert timestamp(elsewhere) == "2026-01-31T12:00:00.000000Z"


def test_a_pending_payment_and_a_refund_have_their_shapes() -> None:
    assert payment_shape(PAYMENT).finalized_at is None
    refund = refund_shape(PAYMENT, TransactionId(UUID(int=1)), AT)
    assert (refund.refund_id, refund.payment_id, refund.amount) == (UUID(int=1), ID, 5)
