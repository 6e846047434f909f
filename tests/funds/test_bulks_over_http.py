"""POST /v1/wallet/send/bulk: who may, what is answered, and what is wrong with what is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from app.main.local.roles import Urls
from tests.api_fixtures import logged
from tests.fakes.people import Somebody
from tests.funds.wired import Bank, bank_over

__all__ = ["logged"]


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


def to(who: Somebody | str, amount: int = 10, **more: Any) -> dict[str, Any]:
    return {"to": who if isinstance(who, str) else str(who.id), "amount": amount, "currency": "USD"} | more


def test_a_bulk_is_answered_line_by_line_and_again_with_the_same_bytes(bank: Bank) -> None:
    alice, bob, carol = bank.user(holding=100), bank.user("bobby"), bank.user(address="0x" + "Ab" * 20)
    lines, key = (
        [to(bob, 30, note="January"), to(carol, 20), to("bobby", 1), to("nobody_there"), to(bob, 500)],
        uuid4().hex,
    )
    answer = bank.bulk(alice, lines, "each", key=key)
    found = answer.json()
    assert (answer.status_code, found["mode"], found["completed"], found["refused"]) == (201, "each", 3, 2)
    assert [(one["index"], one["status"], one["error"]) for one in found["transfers"]] == [
        (0, "COMPLETED", None),
        (1, "COMPLETED", None),
        (2, "COMPLETED", None),
        (3, "REFUSED", "NOT_FOUND"),
        (4, "REFUSED", "INSUFFICIENT_FUNDS"),
    ]
    assert [bank.balance(each) for each in (alice, bob, carol)] == [49, 31, 20]
    ours = [line for line in bank.lines(alice) if line["kind"] == "TRANSFER_OUT"]
    assert {line["business_id"] for line in ours} == {found["bulk_id"]}
    assert {line["transaction_id"] for line in ours} == {one["transfer_id"] for one in found["transfers"][:3]}
    again = bank.bulk(alice, lines, "each", key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    assert bank.bulk(alice, lines, "all", key=key).status_code == 422
    assert bank.balance(alice) == 49


def test_all_of_it_or_nothing_says_what_cannot_be_done(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user()
    lines, key = [to(bob, 60), to(alice), to("nobody_there"), to(bob, 60)], uuid4().hex
    answer = bank.bulk(alice, lines, key=key)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "BULK_REFUSED"
    assert answer.json()["error"]["details"] == {
        "errors": [
            {"index": 1, "code": "VALIDATION_ERROR"},
            {"index": 2, "code": "NOT_FOUND"},
            {"index": 3, "code": "INSUFFICIENT_FUNDS"},
        ]
    }
    assert (bank.balance(alice), bank.balance(bob)) == (100, None)
    assert bank.bulk(alice, lines, key=key).content == answer.content


def test_a_machine_names_whose_money_it_is_and_a_user_sends_his_own(bank: Bank) -> None:
    alice, bob, machine = bank.user("alice_r", holding=100), bank.user(), bank.people.machine("transfers:write")
    elsewhere = bank.user(tenant=bank.people.other_tenant, holding=100)
    assert bank.bulk(machine, [to(bob)], **{"from": "alice_r"}).status_code == 201
    assert bank.bulk(alice, [to(bob)], **{"from": str(alice.id)}).status_code == 201
    unnamed = bank.bulk(machine, [to(bob)])
    assert (unnamed.status_code, [*unnamed.json()["error"]["details"]]) == (400, ["from"])
    for who, sender in ((machine, str(elsewhere.id)), (machine, "nobody_there"), (bob, str(alice.id))):
        assert bank.bulk(who, [to(bob)], **{"from": sender}).status_code == 404
    assert bank.bulk(bank.people.machine("wallet:receive"), [to(bob)], **{"from": "alice_r"}).status_code == 403
    assert bank.send(machine, bob).status_code == 403, "it is let in for bulks alone"
    assert (bank.balance(alice), bank.balance(bob)) == (80, 20)


@pytest.mark.parametrize(
    ("lines", "details"),
    [
        ([], ["transfers"]),
        ("bob", ["transfers"]),
        ([to("bob")] * 1_001, ["transfers"]),
        ([to("bob"), "bob"], ["transfers[1]"]),
        ([to("bob"), to("bob", 0), to("bob", 1.5)], ["transfers[1].amount", "transfers[2].amount"]),  # type: ignore[arg-type]
        ([to("bob", currency="usd")], ["transfers[0].currency"]),
        ([to("bob"), to("bob", currency="XYZ")], ["transfers[1].currency"]),
        ([to("bob", note="")], ["transfers[0].note"]),
        ([to("bob", hold=True)], ["transfers[0].hold"]),
        ([{"to": "bob", "amount": 1}], ["transfers[0].currency"]),
        ([to("bob", 2**63)], ["transfers[0].amount"]),
    ],
)
def test_what_is_malformed_is_named_by_its_place(bank: Bank, lines: Any, details: list[str]) -> None:
    answer = bank.bulk(bank.user(holding=100), lines)
    assert answer.status_code == 400, answer.text
    assert [*answer.json()["error"]["details"]] == details


def test_another_mode_is_refused_and_a_member_that_is_there_twice(bank: Bank) -> None:
    alice = bank.user(holding=100)
    answer = bank.bulk(alice, [to("bob")], "some")
    assert answer.json()["error"]["details"] == {"mode": "must be all or each"}
    twice = b'{"mode":"all","transfers":[{"to":"bob","amount":1,"amount":2,"currency":"USD"}]}'
    headers = alice.bearer | {"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"}
    answer = bank.client.post("/v1/wallet/send/bulk", content=twice, headers=headers)
    assert answer.json()["error"]["details"] == {"transfers[0].amount": "must be there once, not several times"}


def test_a_thousand_with_notes_fit_and_what_is_larger_does_not(bank: Bank) -> None:
    alice, bob = bank.user(holding=5_000), bank.user()
    lines = [to(bob, 1, note="x" * 120) for _ in range(1_000)]
    assert 200_000 < len(str(lines)) < 262_144
    answer = bank.bulk(alice, lines)
    assert (answer.status_code, answer.json()["completed"]) == (201, 1_000)
    assert bank.balance(bob) == 1_000
    large = bank.bulk(alice, [to(bob, 1, note="ä" * 140) for _ in range(1_000)])
    assert (large.status_code, large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_bulks_at_once_spend_what_there_is_and_no_more(bank: Bank) -> None:
    alice, others = bank.user(holding=1_000), [bank.user() for _ in range(10)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: bank.bulk(alice, [to(one, 12) for one in others]), range(16)))
    done = sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} == {201, 409}
    assert done == 1_000 // 120
    assert [bank.balance(one) for one in others] == [12 * done] * 10
    assert bank.balance(alice) == 1_000 - 120 * done
