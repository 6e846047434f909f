"""Refunds over HTTP: what is given back, what is refused, and that each promise is kept once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.money import MAX_MINOR
from tests.api_harness import error
from tests.payments.refunding import Counter, keyed


def test_a_payment_is_given_back_in_parts_until_nothing_is_left(counter: Counter) -> None:
    alice = counter.customer(10_000)
    payment = counter.paid(alice, 1_000)
    first = counter.refunded(payment, amount=300, reason="one was broken")
    assert {name: first[name] for name in ("payment_id", "user_id", "amount", "currency", "status", "reason")} == {
        "payment_id": payment["payment_id"],
        "user_id": str(alice.id),
        "amount": 300,
        "currency": "USD",
        "status": "COMPLETED",
        "reason": "one was broken",
    }
    assert first["failure_code"] is None
    assert first["finalized_at"] > first["created_at"]
    assert (counter.balance(alice), counter.get(f"/v1/payments/{payment['payment_id']}", alice).json()["refunded"]) == (
        9_300,
        300,
    )
    assert error(counter.refund(payment, amount=701), 409, "REFUND_TOO_LARGE") == {"refundable": 700}
    rest = counter.refunded(payment)
    assert (rest["amount"], rest["reason"], counter.balance(alice)) == (700, None, 10_000)
    assert error(counter.refund(payment), 409, "REFUND_TOO_LARGE") == {"refundable": 0}
    listed = counter.get(f"/v1/payments/{payment['payment_id']}/refunds").json()
    assert listed == {"refunds": [rest, first], "next_cursor": None}
    assert counter.get(f"/v1/refunds/{first['refund_id']}", alice).json() == first
    for refund in (first, rest):
        tenant = counter.people.tenant
        assert counter.events(refund["refund_id"]) == [
            ("refund.requested", 1, tenant),
            ("refund.completed", 2, tenant),
        ]
        assert counter.credits_of(refund["refund_id"]) == [("MERCHANT_REFUND", refund["amount"])]
        there = counter.given_back()[refund["refund_id"]]
        assert (there["payment_id"], there["amount"], there["status"]) == (
            payment["payment_id"],
            refund["amount"],
            "REFUNDED",
        )


def test_a_refund_comes_after_its_payment_also_by_a_clock_that_has_gone_back(counter: Counter) -> None:
    payment = counter.paid(counter.customer())
    counter.query("UPDATE payments SET finalized_at = now() + interval '1 min' WHERE id = %s", payment["payment_id"])
    final = counter.get(f"/v1/payments/{payment['payment_id']}").json()["finalized_at"]
    refund = counter.refunded(payment, amount=1)
    assert final <= refund["created_at"] <= refund["finalized_at"]


def test_both_lists_show_a_refund_with_its_payment(counter: Counter) -> None:
    alice = counter.customer()
    payment = counter.paid(alice)
    refund = counter.refunded(payment, amount=250)
    by_key = {"X-API-Key": "the-key-of-the-tests"}
    for answer in (
        counter.client.get(f"/wallets/{alice.id}/transactions", headers=by_key),
        counter.client.get("/v1/wallet/transactions", headers=alice.bearer),
    ):
        line = answer.json()["transactions"][0]
        assert (line["kind"], line["direction"], line["amount"], line["status"], line["balance_after"]) == (
            "MERCHANT_REFUND", "CREDIT", 250, "COMPLETED", 9_250,
        )  # fmt: skip
        assert (line["payment_id"], line["provider_id"], line["external_reference"]) == (
            payment["payment_id"], str(counter.provider), "invoice 7",
        )  # fmt: skip
        assert line["transaction_id"] == refund["refund_id"]


def test_the_same_key_is_answered_again_with_the_same_bytes(counter: Counter) -> None:
    payment, key = counter.paid(counter.customer()), uuid4().hex
    first, again = (counter.refund(payment, key=key, amount=10) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    error(counter.refund(payment, key=key, amount=11), 422, "IDEMPOTENCY_KEY_REUSED")
    error(counter.refund(counter.paid(counter.customer()), key=key, amount=10), 422, "IDEMPOTENCY_KEY_REUSED")
    assert len(counter.get(f"/v1/payments/{payment['payment_id']}/refunds").json()["refunds"]) == 1


def test_a_refusal_is_stored_and_moves_nothing(counter: Counter) -> None:
    payment, key = counter.paid(counter.customer(), 100), uuid4().hex
    first, again = (counter.refund(payment, key=key, amount=101) for _ in range(2))
    assert error(first, 409, "REFUND_TOO_LARGE") == {"refundable": 100}
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize(("mode", "status"), [("declined", "DECLINED"), ("500", "FAILED")])
def test_only_an_approved_payment_is_refunded(counter: Counter, mode: str, status: str) -> None:
    counter.mode(mode)
    answer = counter.pay(counter.customer())
    counter.mode("happy")
    made = answer.json()
    payment_id = made["payment_id"] if "payment_id" in made else made["error"]["details"]["payment_id"]
    refused = counter.refund({"payment_id": payment_id})
    assert error(refused, 409, "PAYMENT_STATE") == {"status": status}


def test_who_may_refund_and_who_may_see(counter: Counter) -> None:
    people = counter.people
    alice, bob = counter.customer(), counter.customer()
    payment = counter.paid(alice)
    refund = counter.refunded(payment, amount=1, who=people.machine("payments:refund"))
    stranger = people.machine("payments:refund", "payments:read", tenant=people.other_tenant)
    for nobody in (alice, people.machine("payments:write"), people.machine("payments:read")):
        error(counter.refund(payment, who=nobody), 403, "FORBIDDEN")
    error(counter.refund(payment, who=stranger), 404, "NOT_FOUND")
    error(counter.refund({"payment_id": uuid4()}), 404, "NOT_FOUND")
    paths = (f"/v1/payments/{payment['payment_id']}/refunds", f"/v1/refunds/{refund['refund_id']}")
    for path in paths:
        for somebody in (alice, counter.admin, people.machine("payments:read"), people.machine("payments:refund")):
            assert counter.get(path, somebody).status_code == 200
        for somebody in (bob, stranger):
            error(counter.get(path, somebody), 404, "NOT_FOUND")
        error(counter.get(path, people.machine("payments:write")), 403, "FORBIDDEN")


def test_whoever_asks_for_a_payment_that_is_not_there_leaves_the_key_free(counter: Counter) -> None:
    payment, key, people = counter.paid(counter.customer()), uuid4().hex, counter.people
    error(counter.refund({"payment_id": uuid4()}, key=key, amount=1), 404, "NOT_FOUND")
    stranger = people.machine("payments:refund", tenant=people.other_tenant)
    error(counter.refund(payment, key=key, amount=1, who=stranger), 404, "NOT_FOUND")
    assert counter.query("SELECT count(*) FROM v1_idempotency_keys WHERE key = %s", key) == [(0,)]
    assert counter.refunded(payment, key=key, amount=1)["status"] == "COMPLETED"
    error(counter.refund({"payment_id": uuid4()}, key=key, amount=1), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_payment_by_an_api_key_is_that_of_its_tenant(counter: Counter) -> None:
    alice, people = counter.customer(), counter.people
    payment = counter.pay_by_key(alice.id)
    (tenant,) = counter.query(
        "SELECT DISTINCT tenant_id FROM payments.outbox_events WHERE subject = %s", payment["payment_id"]
    )
    assert tenant == (people.tenant,)
    counter.query(
        "UPDATE payments SET tenant_id = NULL WHERE id = %s", payment["payment_id"]
    )  # as of the version before
    assert counter.get(f"/v1/payments/{payment['payment_id']}").status_code == 200
    assert counter.refunded(payment, amount=5)["status"] == "COMPLETED"
    other = people.machine("payments:refund", tenant=people.other_tenant)
    error(counter.refund(payment, who=other), 404, "NOT_FOUND")
    listed = counter.get("/v1/payments", user_id=str(alice.id)).json()["payments"]
    assert [(one["payment_id"], one["refunded"], one["metadata"]) for one in listed] == [(payment["payment_id"], 5, {})]


@pytest.mark.parametrize(
    "body",
    [{"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amount": "1"}, {"amount": MAX_MINOR + 1}, {"amount": None},
     {"reason": ""}, {"reason": "x" * 141}, {"reason": "a\nb"}, {"currency": "USD"}, {"amount": True}],
)  # fmt: skip
def test_what_is_malformed_says_what(counter: Counter, body: Any) -> None:
    payment = {"payment_id": uuid4()}
    assert set(error(counter.refund(payment, **body), 400, "VALIDATION_ERROR")) == set(body)
    path = f"/v1/payments/{uuid4()}/refunds"
    assert "Idempotency-Key" in error(
        counter.client.post(path, json={}, headers=counter.admin.bearer), 400, "VALIDATION_ERROR"
    )
    assert "id" in error(
        counter.client.post("/v1/payments/x/refunds", json={}, headers=keyed(counter.admin)), 400, "VALIDATION_ERROR"
    )


def test_two_refunds_at_once_never_give_back_more_than_was_paid(counter: Counter) -> None:
    alice = counter.customer()
    payment = counter.paid(alice, 1_000)
    with ThreadPoolExecutor(12) as at_once:
        answers = list(at_once.map(lambda _: counter.refund(payment, amount=300), range(12)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["error"]["code"] for answer in answers if answer not in done} == {"REFUND_TOO_LARGE"}
    assert len(done) == 3
    assert counter.balance(alice) == 9_900
