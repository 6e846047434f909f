"""Many requests at once over HTTP: each key is done once, nobody spends what he has not, and none ends in a 5xx."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from app.main.local.roles import Urls
from tests.api_fixtures import logged
from tests.api_harness import wait_until
from tests.funds.wired import Bank, bank_over

__all__ = ["logged"]


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


def test_a_hundred_sends_at_once_spend_what_there_is_and_no_more(bank: Bank) -> None:
    alice, bob = bank.user(holding=505), bank.user()
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda _: bank.send(alice, bob, 10), range(100)))
    assert Counter(answer.status_code for answer in answers) == {201: 50, 409: 50}
    assert (bank.balance(alice), bank.balance(bob)) == (5, 500)
    assert len(bank.lines(bob)) == 50


def test_one_key_fifty_times_at_once_is_one_transfer_and_one_answer(bank: Bank) -> None:
    alice, bob, key = bank.user(holding=1_000), bank.user(), uuid4().hex
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda _: bank.send(alice, bob, 10, key=key), range(50)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert (bank.balance(alice), bank.balance(bob)) == (990, 10)


def test_one_key_with_different_requests_at_once_lets_one_of_them_through(bank: Bank) -> None:
    alice, bob, key = bank.user(holding=1_000), bank.user(), uuid4().hex
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda amount: bank.send(alice, bob, amount, key=key), range(1, 33)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] == 1, statuses
    assert statuses.keys() <= {201, 422}, statuses
    (won,) = [answer.json()["amount"] for answer in answers if answer.status_code == 201]
    assert bank.balance(bob) == won


def test_one_reference_twenty_times_at_once_pays_in_once(bank: Bank) -> None:
    bob = bank.user()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: bank.receive(bob, 7, "one wire"), range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert bank.balance(bob) == 7


def test_people_who_send_in_circles_neither_make_nor_lose_money(bank: Bank) -> None:
    people = [bank.user(holding=100) for _ in range(20)]

    def around(nth: int) -> int:
        sender, receiver = people[nth % 20], people[(nth * 7 + 1) % 20]
        return bank.send(sender, receiver, 30).status_code if sender is not receiver else 201

    with ThreadPoolExecutor(32) as threads:
        statuses = Counter(threads.map(around, range(400)))
    assert statuses.keys() <= {201, 409}, statuses
    assert sum(bank.balance(somebody) or 0 for somebody in people) == 2_000


def test_keys_leave_when_their_time_is_over(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user()
    old, new = uuid4().hex, uuid4().hex
    for key in (old, new):
        bank.send(alice, bob, key=key)
    bank.query(
        "UPDATE v1_idempotency_keys SET finalized_at = finalized_at - interval '25 h' WHERE user_id = %s AND key = %s",
        alice.id, old,
    )  # fmt: skip
    left = "SELECT key FROM v1_idempotency_keys WHERE user_id = %s"
    wait_until(lambda: bank.query(left, alice.id) == [(new,)])
    assert bank.balance(bob) == 2
    bank.send(alice, bob, key=old)
    assert bank.balance(bob) == 3  # a repetition after that is a new transfer


def test_no_log_line_has_a_balance_a_note_or_who_it_was(bank: Bank, logged: list[Any]) -> None:
    alice, bob = bank.user("alice_of_the_log", holding=987_654_321), bank.user("bob_of_the_log")
    note = "a-note-that-nobody-else-reads"
    bank.send(alice, bob, 12_345_678, note=note)
    bank.send(alice, bob, 2**60, note=note)
    for what in ("", "/transactions", "/holds"):
        assert bank.get(alice, what).status_code == 200
    wait_until(lambda: len(logged) >= 6)  # a line is written behind its answer
    told = repr(logged)
    secrets = [
        note, "987654321", "12345678", "975308643", str(2**60), "alice_of_the_log", "bob_of_the_log",
        *(text for who in (alice, bob) for text in (who.token, str(who.id))),
    ]  # fmt: skip
    assert [secret for secret in secrets if secret in told] == []
    assert all("user_hash" in entry for entry in logged if entry["event"] == "request")
