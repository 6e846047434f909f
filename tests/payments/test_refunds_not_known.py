"""Refunds of which the gateway does not say what became of them: each promise is kept, once, and room for it is."""

from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.payments.adapters.postgres.rows import LOCK_BY_ID, LOCK_PAYMENTS
from app.kernel.money import MAX_MINOR
from tests.api_harness import error
from tests.payments.refunding import HELD_MS, Counter, keyed


def test_a_full_wallet_keeps_room_and_is_refused_what_does_not_fit(counter: Counter) -> None:
    alice = counter.customer(1_000)
    payment = counter.paid(alice, 1_000)
    counter.fund(alice, MAX_MINOR - 500)
    assert error(counter.refund(payment, amount=501), 409, "BALANCE_LIMIT") == {}
    counter.mode("500", applies_to="refund")
    pending = counter.refund(payment, amount=500)
    refund_id = error(pending, 502, "GATEWAY_ERROR")["refund_id"]
    body = {"user_id": str(alice.id), "amount": 1, "currency": "USD", "reference": uuid4().hex}
    full = counter.client.post("/v1/wallet/receive", json=body, headers=keyed(counter.admin))
    error(full, 409, "BALANCE_LIMIT")  # the room is kept for what was promised
    error(counter.refund(payment, amount=1), 409, "BALANCE_LIMIT")
    counter.mode("happy")
    assert counter.recover(refund_id) == "SettledRefund"
    assert counter.balance(alice) == MAX_MINOR


@pytest.mark.parametrize(
    ("mode", "takes_effect"),
    [
        *((mode, when) for mode in ("500", "429", "garbage", "reset", "timeout") for when in ("before", "never")),
        ("wrong_amount", "never"),  # of another amount that was given back only somebody can say what is to become
    ],
)
def test_what_is_not_known_stays_a_promise_until_recovery_knows(counter: Counter, mode: str, takes_effect: str) -> None:
    alice, key = counter.customer(), uuid4().hex
    payment = counter.paid(alice, 1_000)
    counter.mode(mode, applies_to="refund", charge=takes_effect, latency_ms=HELD_MS)
    answer = counter.refund(payment, key=key, amount=400)
    silent = {"timeout": (504,), "reset": (502, 504), "garbage": (502, 504)}.get(mode, (502,))
    assert answer.status_code in silent
    details = answer.json()["error"]["details"]
    refund_id = details["refund_id"]
    assert details["status"] == "PENDING"
    assert error(counter.refund(payment, key=key, amount=400), 409, "IDEMPOTENCY_IN_PROGRESS") == {
        "refund_id": refund_id
    }
    assert error(counter.refund(payment, amount=601), 409, "REFUND_TOO_LARGE") == {"refundable": 600}
    assert (counter.balance(alice), counter.credits_of(refund_id)) == (9_000, [])
    counter.mode("happy")
    assert counter.recover(refund_id) == "SettledRefund"
    told = counter.refund(payment, key=key, amount=400)
    assert (told.status_code, told.json()["status"], told.headers["Idempotent-Replayed"]) == (201, "COMPLETED", "true")
    assert counter.balance(alice) == 9_400
    assert [
        entry["amount"] for entry in counter.given_back().values() if entry["payment_id"] == payment["payment_id"]
    ] == [400]


@pytest.mark.parametrize("is_by_id", [True, False])
def test_a_result_waits_for_nobody_who_has_its_payment_locked(counter: Counter, is_by_id: bool) -> None:
    """It has the wallet locked by then, which whoever has the payment locked may be waiting for."""
    alice = counter.customer()
    payment = counter.paid(alice, 1_000)
    counter.mode("500", applies_to="refund")
    refund_id = error(counter.refund(payment, amount=400), 502, "GATEWAY_ERROR")["refund_id"]
    counter.mode("happy")
    payment_id = UUID(payment["payment_id"])
    with psycopg.connect(counter.superuser_url) as other:
        if is_by_id:
            held = other.execute(LOCK_BY_ID.text.encode(), ([payment_id],))
        else:
            held = other.execute(LOCK_PAYMENTS.text.encode(), ([alice.id], [payment_id]))
        assert held.rowcount == 1
        assert counter.recover(refund_id) == "SettledRefund"
    assert counter.balance(alice) == 9_400


def test_a_refusal_of_the_gateway_lets_the_amount_be_refunded_again(counter: Counter) -> None:
    alice = counter.customer()
    payment = counter.paid(alice, 1_000)
    counter.mode("declined", applies_to="refund")
    refused = counter.refunded(payment)
    assert (refused["status"], refused["failure_code"]) == ("REFUSED", "DO_NOT_REFUND")
    assert [kind for kind, *_ in counter.events(refused["refund_id"])] == ["refund.requested", "refund.refused"]
    counter.mode("happy")
    assert counter.balance(alice) == 9_000
    assert counter.refunded(payment)["amount"] == 1_000
    assert counter.balance(alice) == 10_000


def test_a_charge_that_does_not_stand_refuses(counter: Counter) -> None:
    payment = counter.paid(counter.customer())
    assert counter.gateway.post(f"/charges/{payment['payment_id']}/void").status_code == 200
    refused = counter.refunded(payment)
    assert (refused["status"], refused["failure_code"]) == ("REFUSED", "charge_gone")


def test_recovery_waits_the_longer_the_older_a_refund_is(counter: Counter) -> None:
    payment = counter.paid(counter.customer())
    counter.mode("500", applies_to="all")
    refund_id = error(counter.refund(payment), 502, "GATEWAY_ERROR")["refund_id"]
    for age_s, wait_s in ((0, 1), (100, 10), (100_000, 300)):
        age = "created_at = now() - make_interval(secs => %s), recover_after = NULL"
        counter.query(f"UPDATE payments.refunds SET {age} WHERE id = %s", age_s, refund_id)
        ((before,),) = counter.query("SELECT clock_timestamp()")
        assert counter.recover(refund_id) == "RefundPending"
        ((until, after),) = counter.query(
            "SELECT recover_after, clock_timestamp() FROM payments.refunds WHERE id = %s", refund_id
        )
        wait = timedelta(seconds=wait_s)
        assert before + wait <= until <= after + wait + timedelta(seconds=1)
        if wait_s > 1:  # which a busy machine may take to ask again
            assert counter.recover(refund_id) == "not due"


def test_while_the_gateway_is_away_refunds_are_refused_at_the_gate_and_payments_are_not(counter: Counter) -> None:
    alice = counter.customer()
    payment = counter.paid(alice)
    counter.mode("500", applies_to="refund")
    key = uuid4().hex
    first = error(counter.refund(payment, key=key, amount=1), 502, "GATEWAY_ERROR")
    answers = [counter.refund(payment, amount=1) for _ in range(25)]
    assert answers[-1].status_code == 503
    assert error(answers[-1], 503, "GATEWAY_UNAVAILABLE") == {}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert error(counter.refund(payment, key=key, amount=1), 409, "IDEMPOTENCY_IN_PROGRESS") == {
        "refund_id": first["refund_id"]
    }
    error(counter.refund({"payment_id": uuid4()}), 404, "NOT_FOUND")
    assert counter.paid(alice, 1)["status"] == "APPROVED"
    counter.mode("happy")
    for answer in answers:
        if answer.status_code == 502:
            counter.query("UPDATE payments.refunds SET recover_after = NULL WHERE status = 'PENDING'")
            assert counter.recover(answer.json()["error"]["details"]["refund_id"]) == "SettledRefund"
