"""Sending and paying in over HTTP: who is found, what the books are asked, and how each of their ends is answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.contexts.funds.application.asked import ReceiveRequest, SendRequest
from app.kernel.principal import Role
from app.platform.idempotency.keys import Answer, Answered
from tests.api_answers import check_documented
from tests.api_fixtures import logged
from tests.api_harness import error, wait_until
from tests.fakes.people import Somebody
from tests.fakes.transfers import FakeTransfers
from tests.funds.served import Served, made_up, serving

__all__ = ["logged"]

ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
NOTE = "a-note-that-nobody-else-reads"


@dataclass
class Bank:
    """The API over money that is made up, and who sends."""

    served: Served
    transfers: FakeTransfers
    client: httpx.Client
    alice: Somebody
    bob: Somebody
    machine: Somebody

    def send(
        self, note: str | None = None, *, key: str | None = None, to: str = "bob", **changes: Any
    ) -> httpx.Response:
        body = {"to": to, "amount": 5, "currency": "USD", **({"note": note} if note else {})} | changes
        headers = self.alice.bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post("/v1/wallet/send", json=body, headers=headers)

    def receive(
        self, reference: str = "r", *, who: Somebody | None = None, key: str | None = None, **changes: Any
    ) -> httpx.Response:
        body = {"user_id": str(self.bob.id), "amount": 5, "currency": "USD", "reference": reference} | changes
        headers = (who or self.machine).bearer | {"Idempotency-Key": key or uuid4().hex}
        return self.client.post("/v1/wallet/receive", json=body, headers=headers)


@pytest.fixture(scope="module")
def bank() -> Iterator[Bank]:
    transfers = FakeTransfers()
    with serving(made_up(transfers)) as served, served.client() as client:
        document = client.get("/openapi.json").json()

        def check(response: httpx.Response) -> None:
            request = response.request
            body = response.read()
            check_documented(document, request.method, request.url.path, response.status_code, response.headers, body)
            assert response.headers["cache-control"] == "no-store"

        client.event_hooks["response"].append(check)
        alice, bob = served.people.user("alice"), served.people.user("bob", address=ADDRESS)
        yield Bank(served, transfers, client, alice, bob, served.people.machine("wallet:receive"))


def test_a_transfer_is_answered_with_ids_and_a_null_where_there_is_no_note(bank: Bank) -> None:
    for note in (NOTE, None):
        answer = bank.send(note)
        asked = bank.transfers.asked[-1]
        assert isinstance(asked, SendRequest)
        assert answer.status_code == 201
        assert answer.json() == {
            "transfer_id": str(asked.transfer_id),
            "from": str(bank.alice.id),
            "to": str(bank.bob.id),
            "amount": 5,
            "currency": "USD",
            "note": note,
            "status": "COMPLETED",
            "created_at": "2026-01-31T12:00:00.000000Z",
        }
        assert (asked.tenant_id, asked.sender) == (bank.served.people.tenant, bank.alice.id)
        assert asked.scope[0] == bank.alice.id


def test_what_came_from_outside_is_from_nobody(bank: Bank) -> None:
    admin = bank.served.people.user("root", role=Role.ADMIN)
    for who in (bank.machine, admin):
        answer = bank.receive("wire 7", who=who)
        asked = bank.transfers.asked[-1]
        assert isinstance(asked, ReceiveRequest)
        assert (answer.status_code, answer.json()["from"], answer.json()["to"]) == (201, None, str(bank.bob.id))
        assert answer.json()["note"] is None
        assert (asked.reference, asked.recipient, asked.scope[0]) == ("wire 7", bank.bob.id, who.id)


def test_a_recipient_is_found_by_id_username_or_address(bank: Bank) -> None:
    for to in (str(bank.bob.id), str(bank.bob.id).upper(), bank.bob.id.hex, "bob", ADDRESS):
        assert bank.send(to=to).json()["to"] == str(bank.bob.id)


def test_who_does_not_exist_and_who_is_another_tenants_look_the_same(bank: Bank) -> None:
    people = bank.served.people
    stranger = people.user("stranger", tenant=people.other_tenant, address="0x" + "ab" * 20)
    machine = people.machine("wallet:receive")
    asked = len(bank.transfers.asked)
    answers = [
        bank.send(to=to)
        for to in (
            "nobody", str(uuid4()), "0x" + "cd" * 20, "Bob", "bob@example.com", "' OR 1=1 --", "no such user",
            "\u202ebob", str(stranger.id), "stranger", stranger.address or "", str(machine.id),
        )
    ] + [bank.receive(user_id=str(other)) for other in (uuid4(), stranger.id, machine.id)]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert len(bank.transfers.asked) == asked


def test_nobody_sends_to_himself(bank: Bank) -> None:
    asked = len(bank.transfers.asked)
    for to in ("alice", str(bank.alice.id), bank.alice.id.hex.upper()):
        assert "to" in error(bank.send(to=to), 400, "VALIDATION_ERROR")
    assert len(bank.transfers.asked) == asked


@pytest.mark.parametrize(
    ("how", "status", "code", "retry_after"),
    [
        ("no-wallet", 404, "NOT_FOUND", None),
        ("in-progress", 409, "IDEMPOTENCY_IN_PROGRESS", "1"),
        ("poor", 409, "INSUFFICIENT_FUNDS", None),
        ("full", 409, "BALANCE_LIMIT", None),
        ("reused", 422, "IDEMPOTENCY_KEY_REUSED", None),
        ("bug", 500, "INTERNAL", None),
        ("unavailable", 503, "UNAVAILABLE", "1"),
    ],
)
def test_each_end_has_its_status_and_code(
    bank: Bank, how: str, status: int, code: str, retry_after: str | None
) -> None:
    answer = bank.send(how)
    error(answer, status, code)
    assert answer.headers.get("Retry-After") == retry_after
    assert "secret" not in answer.text


def test_missing_funds_are_told_as_to_those_who_pay(bank: Bank) -> None:
    assert error(bank.send("poor"), 409, "INSUFFICIENT_FUNDS") == {"currency": "USD", "current_balance": 1, "amount": 5}


def test_a_currency_that_nobody_knows_is_malformed(bank: Bank) -> None:
    for answer in (bank.send("no-wallet", currency="ZZZ"), bank.receive(currency="ZZZ")):
        assert "currency" in error(answer, 400, "VALIDATION_ERROR")
    assert bank.send(currency="ZZZ").status_code == 201  # what is held in it can be spent


def test_that_nobody_knows_the_currency_is_said_before_that_there_is_no_recipient(bank: Bank) -> None:
    assert "currency" in error(bank.send(to="nobody", currency="ZZZ"), 400, "VALIDATION_ERROR")
    error(bank.send(to="nobody", currency="USD"), 404, "NOT_FOUND")
    error(bank.send(to="nobody", currency="JPY"), 404, "NOT_FOUND")


def test_an_answer_of_an_earlier_run_says_so(bank: Bank) -> None:
    assert bank.send("replayed").headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in bank.send().headers


def test_what_was_answered_before_is_answered_again_though_nobody_is_found_any_more(bank: Bank) -> None:
    carol = bank.served.people.user("carol")
    full = Answer(409, b'{"error":{"code":"BALANCE_LIMIT","message":"","details":{}}}')
    key, stored = uuid4().hex, Answered(full, replayed=True)
    bank.served.people.forget(carol)
    error(bank.send(to="carol", key=key), 404, "NOT_FOUND")
    bank.transfers.known[(bank.alice.id, key)] = stored
    answer = bank.send(to="carol", key=key)
    assert (answer.status_code, answer.content) == (409, stored.answer.body)
    assert answer.headers["Idempotent-Replayed"] == "true"


def test_the_same_request_is_the_same_however_it_is_spelled_and_wherever_it_goes_another(bank: Bank) -> None:
    def fingerprint(path: str, content: str, who: Somebody) -> bytes:
        headers = who.bearer | {"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"}
        assert bank.client.post(path, content=content, headers=headers).status_code == 201
        return bank.transfers.asked[-1].fingerprint

    bob, upper, bare = str(bank.bob.id), str(bank.bob.id).upper(), bank.bob.id.hex
    same = [
        f'{{"to":"{bob}","amount":5,"currency":"USD","note":"é"}}',
        f'{{ "note" : "\\u00e9",\n"currency":"USD","amount":5,"to":"{upper}"}}',
        f'{{"to":"{bare}","amount":5,"currency":"USD","note":"é"}}',
    ]
    others = [
        f'{{"to":"{bob}","amount":6,"currency":"USD","note":"é"}}',
        f'{{"to":"{bob}","amount":5,"currency":"EUR","note":"é"}}',
        f'{{"to":"{bob}","amount":5,"currency":"USD","note":"e\\u0301"}}',
        f'{{"to":"{bob}","amount":5,"currency":"USD"}}',
        '{"to":"bob","amount":5,"currency":"USD","note":"é"}',
    ]
    prints = [fingerprint("/v1/wallet/send", content, bank.alice) for content in (*same, *others)]
    assert len(set(prints[: len(same)])) == 1
    assert len(set(prints)) == 1 + len(others)
    paid_in = [
        f'{{"user_id":"{user}","amount":5,"currency":"USD","reference":"é"}}' for user in (bob, upper, UUID(bob).hex)
    ]
    received = {fingerprint("/v1/wallet/receive", content, bank.machine) for content in paid_in}
    assert len(received) == 1
    assert not received & set(prints)


def test_what_takes_too_long_is_unavailable_and_goes_on(bank: Bank) -> None:
    """The deadline of the tests is one second."""
    finished = bank.transfers.finished
    error(bank.send("hold"), 503, "UNAVAILABLE")
    bank.served.loop.call_soon_threadsafe(bank.transfers.release.set)
    wait_until(lambda: bank.transfers.finished == finished + 1)


def test_nothing_that_is_somebodys_own_is_logged(bank: Bank, logged: list[Any]) -> None:
    amount, key = 7_654_321, uuid4().hex
    for answer in (
        bank.send(NOTE, key=key, amount=amount),
        bank.send("poor", amount=amount),
        bank.send(NOTE, to=ADDRESS),
        bank.send(NOTE, to="nobody-of-that-name"),
        bank.send(NOTE, amount=0, note_4111=NOTE),
        bank.send("bug", amount=amount),
        bank.receive(NOTE, amount=amount),
        bank.client.get("/v1/wallet", headers=bank.alice.bearer),
        bank.client.get("/v1/wallet/transactions", headers=bank.alice.bearer, params={"currency": "USD"}),
        bank.client.get("/v1/wallet/holds", headers=bank.alice.bearer),
    ):
        assert answer.status_code in (200, 201, 400, 404, 409, 500)
    wait_until(lambda: len([entry for entry in logged if entry["event"] == "request"]) == 10)  # behind its answer
    told = repr(logged)
    people = (bank.alice, bank.bob, bank.machine)
    secrets = [NOTE, str(amount), ADDRESS, "nobody-of-that-name", key, "alice"]
    secrets += [text for somebody in people for text in (somebody.token, str(somebody.id), somebody.id.hex)]
    assert [secret for secret in secrets if secret in told] == []
    assert {entry["route"] for entry in logged if entry["event"] == "request"} == {
        "/v1/wallet", "/v1/wallet/transactions", "/v1/wallet/holds", "/v1/wallet/send", "/v1/wallet/receive",
    }  # fmt: skip
