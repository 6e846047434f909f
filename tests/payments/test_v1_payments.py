"""Payments on /v1: who pays out of whose wallet, what is noted with them, and who finds which of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import KEY, error
from tests.payments.refunding import HELD_MS, Counter, keyed


def listed(counter: Counter, who: Any = None, **query: Any) -> list[str]:
    """The payments of all pages of two."""
    found: list[str] = []
    cursor = None
    while True:
        answer = counter.get("/v1/payments", who, limit=2, **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [payment["payment_id"] for payment in page["payments"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_a_user_pays_out_of_their_own_wallet_and_sees_what_was_noted(counter: Counter) -> None:
    alice = counter.customer()
    noted = {"order": "7", "a.b-c_D": "x" * 500, "empty": ""}
    answer = counter.pay(alice, 400, metadata=noted)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["user_id"], made["refunded"], made["metadata"]) == (
        "APPROVED", str(alice.id), 0, noted,
    )  # fmt: skip
    assert counter.get(f"/v1/payments/{made['payment_id']}", alice).json() == made
    assert counter.balance(alice) == 9_600
    told = "SELECT payload, tenant_id FROM payments.outbox_events WHERE subject = %s ORDER BY sequence"
    events = counter.query(told, made["payment_id"])
    assert {tenant for _, tenant in events} == {counter.people.tenant}
    assert [set(payload["data"]) & {"refunded", "metadata"} for payload, _ in events] == [set(), set()]


def test_a_machine_pays_for_whom_it_names_and_only_for_people_of_its_tenant(counter: Counter) -> None:
    alice = counter.customer()
    made = counter.paid(counter.machine, user_id=str(alice.id))
    assert (made["user_id"], counter.balance(alice)) == (str(alice.id), 9_000)
    assert error(counter.pay(counter.machine), 400, "VALIDATION_ERROR") == {"user_id": "is required of a machine"}
    stranger = counter.customer(tenant=counter.people.other_tenant)
    for nobody in (uuid4(), stranger.id, counter.machine.id):
        error(counter.pay(counter.machine, user_id=str(nobody)), 404, "NOT_FOUND")
    error(counter.pay(counter.people.machine("payments:read"), user_id=str(alice.id)), 403, "FORBIDDEN")


def test_nobody_pays_out_of_anothers_wallet(counter: Counter) -> None:
    alice, bob = counter.customer(), counter.customer()
    assert counter.pay(alice, user_id=str(alice.id)).status_code == 201
    error(counter.pay(alice, user_id=str(bob.id)), 404, "NOT_FOUND")
    root = counter.people.user(role=Role.ADMIN)
    error(counter.pay(root, user_id=str(bob.id)), 404, "NOT_FOUND")
    assert counter.balance(bob) == 10_000


def test_the_same_key_is_the_same_payment_in_whatever_order_things_are_noted(counter: Counter) -> None:
    alice, key = counter.customer(), uuid4().hex
    first = counter.pay(alice, key=key, metadata={"a": "1", "b": "2"})
    again = counter.pay(alice, key=key, metadata={"b": "2", "a": "1"})
    assert (first.status_code, again.content, again.headers["Idempotent-Replayed"]) == (201, first.content, "true")
    error(counter.pay(alice, key=key, metadata={"a": "1"}), 422, "IDEMPOTENCY_KEY_REUSED")
    error(counter.refund(first.json(), who=alice, key=key), 403, "FORBIDDEN")
    refund = counter.refund(first.json(), who=counter.admin, key=key, amount=1)  # another asker's key is another key
    assert refund.status_code == 201


def test_keys_of_wallets_and_of_v1_are_never_taken_for_one_another(counter: Counter) -> None:
    alice, key = counter.customer(), uuid4().hex
    body = {"provider_id": str(counter.provider), "external_reference": "x", "amount": 5, "currency": "USD"}
    headers = {"X-API-Key": KEY, "Idempotency-Key": key}
    by_key = counter.client.post(f"/wallets/{alice.id}/payments", json=body, headers=headers)
    own = counter.client.post("/v1/payments", json=body, headers=keyed(alice, key))
    assert by_key.status_code == own.status_code == 201
    assert by_key.json()["payment_id"] != own.json()["payment_id"]
    assert "metadata" not in by_key.json()
    again = counter.client.post(f"/wallets/{alice.id}/payments", json=body, headers=headers)
    assert again.content == by_key.content
    assert counter.client.post("/v1/payments", json=body, headers=keyed(alice, key)).content == own.content


@pytest.mark.parametrize(
    ("mode", "status", "code"), [("500", 502, "GATEWAY_ERROR"), ("timeout", 504, "GATEWAY_TIMEOUT")]
)
def test_a_payment_that_failed_is_answered_again_as_it_was(counter: Counter, mode: str, status: int, code: str) -> None:
    alice, key = counter.customer(), uuid4().hex
    counter.mode(mode, latency_ms=HELD_MS)
    first = counter.pay(alice, key=key)
    counter.mode("happy")
    details = error(first, status, code)
    assert (details["status"], details["refunded"]) == ("FAILED", True)
    again = counter.pay(alice, key=key)
    assert (again.status_code, again.content, again.headers["Idempotent-Replayed"]) == (status, first.content, "true")
    assert counter.balance(alice) == 10_000


def test_what_the_wallet_does_not_hold_and_who_is_not_paid(counter: Counter) -> None:
    alice, key = counter.customer(100), uuid4().hex
    first, again = (counter.pay(alice, 101, key=key) for _ in range(2))
    assert error(first, 409, "INSUFFICIENT_FUNDS") == {"currency": "USD", "current_balance": 100, "amount": 101}
    assert again.content == first.content
    error(counter.pay(alice, 1, provider_id=str(uuid4())), 404, "NOT_FOUND")
    error(counter.pay(alice, 1, currency="EUR"), 404, "NOT_FOUND")
    assert "currency" in error(counter.pay(alice, 1, currency="ZZZ"), 400, "VALIDATION_ERROR")
    error(counter.pay(counter.customer(0)), 404, "NOT_FOUND")


def test_nothing_noted_is_what_is_noted_with_an_empty_object(counter: Counter) -> None:
    alice = counter.customer()
    made = counter.paid(alice, metadata={})
    assert made["metadata"] == {}
    assert counter.get(f"/v1/payments/{made['payment_id']}", alice).json() == made
    assert counter.paid(alice)["metadata"] == {}


@pytest.mark.parametrize(
    "metadata",
    [{str(n): "" for n in range(21)}, {"": "x"}, {"k" * 41: "x"}, {"a b": "x"}, {"é": "x"}, {"a": "x" * 501}, {"a": 1},
     {"a": None}, {"a": "x\ny"}, [], "x", None, {"a": {"b": "c"}}],
)  # fmt: skip
def test_what_cannot_be_noted_is_refused(counter: Counter, metadata: Any) -> None:
    assert set(error(counter.pay(counter.customer(0), metadata=metadata), 400, "VALIDATION_ERROR")) == {"metadata"}


def test_a_key_that_is_there_twice_in_what_is_noted_is_refused(counter: Counter) -> None:
    body = (
        f'{{"provider_id":"{counter.provider}","external_reference":"x","amount":1,"currency":"USD",'
        '"metadata":{"a":"1","a":"2"}}'
    )
    headers = keyed(counter.customer()) | {"Content-Type": "application/json"}
    answer = counter.client.post("/v1/payments", content=body, headers=headers)
    assert set(error(answer, 400, "VALIDATION_ERROR")) == {"metadata"}


def test_each_filter_finds_what_it_says_page_by_page_newest_first(counter: Counter) -> None:
    people, tenant = counter.people, counter.people.other_tenant
    admin = people.user(role=Role.ADMIN, tenant=tenant)
    alice, bob = counter.customer(tenant=tenant), counter.customer(tenant=tenant)
    ours = [
        counter.paid(alice, 1, external_reference=f"r{n % 2}", metadata={"n": str(n), "all": "x"}) for n in range(5)
    ]
    theirs = [counter.paid(bob, 1, external_reference="r0")]
    counter.mode("declined")
    declined = counter.paid(alice, 1)
    counter.mode("happy")
    every = [payment["payment_id"] for payment in [declined, *reversed([*ours, *theirs])]]
    newest = [payment["payment_id"] for payment in [declined, *reversed(ours)]]
    assert listed(counter, admin) == every
    assert listed(counter, alice) == newest == listed(counter, admin, user_id=str(alice.id))
    assert listed(counter, alice, user_id=str(bob.id)) == []
    assert (
        listed(counter, admin, status="DECLINED")
        == [declined["payment_id"]]
        == listed(counter, alice, status="DECLINED")
    )
    assert listed(counter, admin, reference="r0") == [
        theirs[0]["payment_id"],
        *(ours[n]["payment_id"] for n in (4, 2, 0)),
    ]
    assert listed(counter, alice, reference="r1") == [ours[n]["payment_id"] for n in (3, 1)]
    assert listed(counter, admin, provider_id=str(uuid4())) == []
    assert listed(counter, admin, provider_id=str(counter.provider)) == every
    for who in (admin, alice):
        assert listed(counter, who, **{"metadata.n": "3"}) == [ours[3]["payment_id"]]
        assert listed(counter, who, **{"metadata.all": "x", "metadata.n": "4"}) == [ours[4]["payment_id"]]
        assert listed(counter, who, **{"metadata.n": "3", "metadata.all": "y"}) == []
    assert listed(counter, admin, **{"metadata.all": "x"}) == [payment["payment_id"] for payment in reversed(ours)]

    at = datetime.fromisoformat(ours[2]["created_at"])
    later = (at + timedelta(microseconds=1)).isoformat()
    assert listed(counter, alice, **{"from": at.isoformat()}) == newest[: newest.index(ours[2]["payment_id"]) + 1]
    assert listed(counter, alice, **{"from": at.isoformat(), "to": later}) == [ours[2]["payment_id"]]
    assert listed(counter, alice, to=at.isoformat()) == [ours[n]["payment_id"] for n in (1, 0)]


def test_a_payment_is_found_by_all_that_can_be_noted_with_one_and_not_by_more(counter: Counter) -> None:
    alice = counter.customer()
    noted = {f"k{nth}": str(nth) for nth in range(20)}
    made = counter.paid(alice, 1, metadata=noted)
    asked = {f"metadata.{name}": value for name, value in noted.items()}
    for who in (alice, None):
        assert listed(counter, who, status="APPROVED", **asked) == [made["payment_id"]]
    more = counter.get("/v1/payments", alice, **asked, **{"metadata.k20": "20"})
    assert set(error(more, 400, "VALIDATION_ERROR")) == {"metadata"}


def test_a_payment_is_seen_by_whose_it_is_and_by_those_who_may_of_its_tenant(counter: Counter) -> None:
    people, tenant = counter.people, counter.people.other_tenant
    alice, bob, reference = counter.customer(tenant=tenant), counter.customer(tenant=tenant), uuid4().hex
    payment_id = counter.paid(alice, 1, external_reference=reference)["payment_id"]
    reader = people.machine("payments:read", tenant=tenant)
    for who in (alice, reader, people.user(role=Role.ADMIN, tenant=tenant)):
        assert counter.get(f"/v1/payments/{payment_id}", who).json()["payment_id"] == payment_id
        assert listed(counter, who, reference=reference) == [payment_id]
    for stranger in (bob, counter.admin, counter.machine):
        error(counter.get(f"/v1/payments/{payment_id}", stranger), 404, "NOT_FOUND")
        assert listed(counter, stranger, reference=reference) == []


def test_a_cursor_belongs_to_its_filters_and_to_whoever_asked(counter: Counter) -> None:
    alice, bob = counter.customer(), counter.customer()
    for _ in range(2):
        counter.paid(alice, 1, metadata={"a": "1"})
    cursor = counter.get("/v1/payments", alice, limit=1).json()["next_cursor"]
    for who, more in (
        (bob, {}),
        (alice, {"status": "APPROVED"}),
        (alice, {"metadata.a": "1"}),
        (alice, {"reference": "x"}),
    ):
        answer = counter.get("/v1/payments", who, limit=1, cursor=cursor, **more)
        assert "cursor" in error(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "PAID"), ("status", ""), ("reference", ""), ("reference", "x" * 141), ("reference", "a\nb"),
     ("provider_id", "x"), ("user_id", "1"), ("from", "2026-01-31"), ("to", "2026-01-31T12:00:00"),
     ("from", "0000-00-00T00:00:00Z"), ("from", "0001-01-01T00:00:00+14:00"), ("metadata.", "x"),
     ("metadata.a b", "x"), ("metadata.a", "x\n"), ("metadata.a", "x" * 501), ("metadata", "x"), ("limit", "0"),
     ("limit", "201"), ("cursor", "x"), ("what", "x")],
)  # fmt: skip
def test_a_filter_that_is_malformed_is_named(counter: Counter, name: str, value: str) -> None:
    answer = counter.client.get("/v1/payments", params={name: value}, headers=counter.admin.bearer)
    assert set(error(answer, 400, "VALIDATION_ERROR")) == {name}
