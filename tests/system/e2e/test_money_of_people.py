"""People and their money over real processes: a machine pays in, somebody sends by name, both read what happened."""

from uuid import uuid4

import pytest

from tests.system.e2e.house import House, body, wait_until
from tests.system.e2e.people import SignedIn, machine, somebody


@pytest.fixture(scope="module")
def bank(house: House) -> SignedIn:
    """A machine that pays in."""
    return machine(house, "wallet:receive")


def test_money_comes_in_goes_to_somebody_else_by_name_and_into_the_audit_trail(house: House, bank: SignedIn) -> None:
    alice, bob = somebody(house, "alice_e2e"), somebody(house, "bob_e2e")
    received = body(bank.receive(alice.id, 1_000, "wire 7"), 201)
    sent = body(alice.send("bob_e2e", 300, note="for the concert"), 201)
    assert (alice.balance(), bob.balance()) == (700, 300)
    (line,) = body(bob.ask("GET", "/v1/wallet/transactions"), 200)["transactions"]
    assert (line["transaction_id"], line["counterparty"], line["note"]) == (
        sent["transfer_id"], {"user_id": alice.id, "username": "alice_e2e"}, "for the concert",
    )  # fmt: skip
    for transfer in (received, sent):
        wait_until(lambda: house.trail(transfer["transfer_id"]) == ["transfer.completed"], "the audit trail")  # noqa: B023
    assert house.query("SELECT FROM audit.events WHERE payload::text LIKE '%%concert%%'") == []
    shown = house.command("wallet", "show", alice.id)
    assert "TRANSFER_OUT" in shown
    assert house.get(f"/wallets/{bob.id}/balance").json()["balances"][0]["current_balance"] == 300


def test_what_comes_by_one_reference_comes_in_once_whichever_way_it_is_told_of(house: House, bank: SignedIn) -> None:
    carol = somebody(house)
    house.command("wallet", "fund", carol.id, "USD", "50", "--reference", "wire 8")
    first, again = (bank.receive(carol.id, 50, "wire 8") for _ in range(2))
    assert (body(first, 201), first.content) == (again.json(), again.content)
    assert body(bank.receive(carol.id, 51, "wire 8"), 409)["error"]["code"] == "REFERENCE_REUSED"
    assert carol.balance() == 50
    body(bank.receive(carol.id, 7, "wire 9"), 201)
    assert "paid in before" in house.command("wallet", "fund", carol.id, "USD", "7", "--reference", "wire 9")


def test_an_answer_outlives_the_process_that_gave_it(house: House, bank: SignedIn) -> None:
    alice, bob, key = somebody(house), somebody(house), uuid4().hex
    body(bank.receive(alice.id, 100), 201)
    first = alice.send(bob.id, 10, key)
    assert house.stop("api") == 0
    house.start_api()
    again = alice.send(bob.id, 10, key)
    assert (body(first, 201), first.content, again.headers["Idempotent-Replayed"]) == (
        again.json(), again.content, "true",
    )  # fmt: skip
    assert (alice.balance(), bob.balance()) == (90, 10)


def test_machines_have_no_wallet_and_people_pay_nothing_in(house: House, bank: SignedIn) -> None:
    alice = somebody(house)
    for answer in (bank.ask("GET", "/v1/wallet"), bank.send(alice.id, 1), alice.receive(alice.id, 1)):
        assert body(answer, 403)["error"]["code"] == "FORBIDDEN"
    scopeless = machine(house, "purchases:write")
    assert body(scopeless.receive(alice.id, 1), 403)["error"]["code"] == "FORBIDDEN"


def test_an_address_and_an_email_are_not_what_a_username_is(house: House, bank: SignedIn) -> None:
    alice = somebody(house)
    body(bank.receive(alice.id, 10), 201)
    missing = [alice.send(to, 1) for to in (str(uuid4()), "nobody_of_that_name", "a@example.com", "0x" + "ab" * 20)]
    assert {(answer.status_code, answer.content) for answer in missing} == {(404, missing[0].content)}


def test_the_books_hold(house: House) -> None:
    house.verify()
