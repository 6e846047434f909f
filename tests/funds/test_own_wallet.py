"""Somebody's own wallet, from HTTP down to the rows: money comes in, goes on, and is read by whose it is."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from app.kernel.money import MAX_MINOR
from app.kernel.principal import Role
from app.main.local.roles import Urls
from tests.api_harness import KEY, error
from tests.funds.lines import move
from tests.funds.wired import Bank, bank_over


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


def test_who_has_nothing_sees_nothing(bank: Bank) -> None:
    nobody = bank.user()
    assert bank.get(nobody).json() == {"user_id": str(nobody.id), "balances": []}
    assert bank.get(nobody, "/transactions").json() == {"transactions": [], "next_cursor": None}
    assert bank.get(nobody, "/transactions", currency="EUR").json()["transactions"] == []
    assert bank.get(nobody, "/holds").json() == {"holds": [], "next_cursor": None}


def test_money_goes_from_one_to_another_who_had_no_wallet(bank: Bank) -> None:
    alice, bob = bank.user("alice_1", holding=1_000), bank.user("bob_1")
    transfer = bank.send(alice, "bob_1", 300, note="for the concert").json()
    assert (transfer["from"], transfer["to"], transfer["note"]) == (str(alice.id), str(bob.id), "for the concert")
    assert (bank.balance(alice), bank.balance(bob)) == (700, 300)
    out, into = bank.lines(alice)[0], bank.lines(bob)[0]
    assert {line["transaction_id"] for line in (out, into)} == {transfer["transfer_id"]}
    assert [line["created_at"] for line in (out, into)] == [transfer["created_at"]] * 2
    assert (out["kind"], out["direction"], out["balance_after"]) == ("TRANSFER_OUT", "DEBIT", 700)
    assert (into["kind"], into["direction"], into["balance_after"]) == ("TRANSFER_IN", "CREDIT", 300)
    assert out["counterparty"] == {"user_id": str(bob.id), "username": "bob_1"}
    assert into["counterparty"] == {"user_id": str(alice.id), "username": "alice_1"}
    assert [line["note"] for line in (out, into)] == ["for the concert"] * 2
    assert [line["account"] for line in (out, into)] == ["wallet"] * 2


def test_those_with_a_key_see_the_new_kinds_in_the_old_members(bank: Bank) -> None:
    alice, bob = bank.user(holding=10), bank.user()
    bank.send(alice, bob, 4, note="between us")
    answer = bank.client.get(f"/wallets/{bob.id}/transactions", headers={"X-API-Key": KEY})
    (line,) = answer.json()["transactions"]
    assert (line["kind"], line["payment_id"], line["provider_id"], line["external_reference"]) == (
        "TRANSFER_IN", None, None, None,
    )  # fmt: skip
    assert "between us" not in answer.text
    assert str(alice.id) not in answer.text


@pytest.mark.parametrize("key", ["X-API-Key", "Authorization"])
def test_neither_credential_opens_the_others_routes(bank: Bank, key: str) -> None:
    alice = bank.user(holding=1)
    if key == "X-API-Key":
        error(bank.client.get("/v1/wallet", headers={key: KEY}), 401, "UNAUTHORIZED")
    else:
        error(bank.client.get(f"/wallets/{alice.id}/balance", headers=alice.bearer), 401, "UNAUTHORIZED")


def test_the_same_key_moves_money_once_and_answers_the_same_bytes(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user()
    key = uuid4().hex
    first, *again = [bank.send(alice, bob, 10, key=spelled) for spelled in (key, key, f'"{key}"')]
    assert "Idempotent-Replayed" not in first.headers
    for each in again:
        assert (each.status_code, each.content) == (201, first.content)
        assert each.headers["Idempotent-Replayed"] == "true"
    assert (bank.balance(alice), bank.balance(bob)) == (90, 10)


def test_a_key_is_one_over_all_routes_and_each_ones_own(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user(holding=100)
    key = uuid4().hex
    assert bank.send(alice, bob, 10, key=key).status_code == 201
    error(bank.send(alice, bob, 11, key=key), 422, "IDEMPOTENCY_KEY_REUSED")
    error(bank.send(alice, bob, 10, key=key, note="x"), 422, "IDEMPOTENCY_KEY_REUSED")
    assert bank.send(bob, alice, 10, key=key).status_code == 201
    admin = bank.user(role=Role.ADMIN, holding=5)
    assert bank.send(admin, bob, 1, key=key).status_code == 201
    error(bank.receive(bob, 1, "r", key=key, who=admin), 422, "IDEMPOTENCY_KEY_REUSED")
    assert (bank.balance(alice), bank.balance(bob)) == (100, 101)


def test_a_refusal_is_kept_with_its_key_and_money_that_comes_later_does_not_change_it(bank: Bank) -> None:
    alice, bob = bank.user(holding=5), bank.user()
    key = uuid4().hex
    first = bank.send(alice, bob, 6, key=key)
    assert error(first, 409, "INSUFFICIENT_FUNDS") == {"currency": "USD", "current_balance": 5, "amount": 6}
    assert bank.balance(bob) is None  # nobody fills others' houses with empty wallets
    bank.receive(alice, 100, uuid4().hex)
    again = bank.send(alice, bob, 6, key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert bank.send(alice, bob, 6).status_code == 201


def test_what_leaves_no_trace_leaves_its_key_free(bank: Bank) -> None:
    alice, bob, key = bank.user(), bank.user("bob_2"), uuid4().hex
    error(bank.send(alice, "bob_3", 6, key=key), 404, "NOT_FOUND")
    error(bank.send(alice, bob, 6, key=key), 404, "NOT_FOUND")  # no wallet to send from
    error(bank.send(alice, bob, 6, key=key, currency="ZZZ"), 400, "VALIDATION_ERROR")
    error(bank.send(alice, alice, 6, key=key), 400, "VALIDATION_ERROR")
    assert bank.query("SELECT FROM v1_idempotency_keys WHERE user_id = %s", alice.id) == []
    bank.receive(alice, 10, uuid4().hex)
    assert bank.send(alice, bob, 6, key=key).status_code == 201


def test_the_key_is_looked_at_before_who_is_sent_to_and_that_before_the_funds(bank: Bank) -> None:
    alice, carol = bank.user(holding=5), bank.user("carol_1")
    key = uuid4().hex
    first = bank.send(alice, "carol_1", 2, key=key)
    bank.people.forget(carol)
    assert bank.send(alice, "carol_1", 2, key=key).content == first.content
    error(bank.send(alice, "carol_1", 3, key=key), 422, "IDEMPOTENCY_KEY_REUSED")
    error(bank.send(alice, "carol_1", 10**9), 404, "NOT_FOUND")


def test_a_reference_pays_in_once_whatever_the_key_and_answers_the_same_bytes(bank: Bank) -> None:
    bob, admin = bank.user(), bank.user(role=Role.ADMIN)
    first = bank.receive(bob, 50, "wire 1")
    again = bank.receive(bob, 50, "wire 1", who=admin)
    assert (again.status_code, again.content) == (201, first.content)
    assert "Idempotent-Replayed" not in again.headers  # its own key's first answer
    error(bank.receive(bob, 51, "wire 1"), 409, "REFERENCE_REUSED")
    assert bank.receive(bob, 50, "wire 1", "EUR").json()["transfer_id"] != first.json()["transfer_id"]
    assert bank.balance(bob) == 50
    (line,) = [line for line in bank.lines(bob) if line["currency"] == "USD"]
    assert (line["kind"], line["external_reference"], line["counterparty"]) == ("FUNDING", "wire 1", None)


def test_what_an_operator_paid_in_by_a_reference_is_not_paid_in_again(bank: Bank) -> None:
    bob = bank.user()
    reference = uuid4().hex
    bank.query("INSERT INTO wallet_balances VALUES (%s, 'USD', 7, 1, now())", bob.id)
    bank.query(
        "INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at)"
        " VALUES (%s, %s, 'FUNDING', %s, 7, 'USD', 'COMPLETED', now())", bob.id, uuid4(), reference,
    )  # fmt: skip
    answer = bank.receive(bob, 7, reference)
    assert (answer.status_code, answer.json()["from"], answer.json()["amount"]) == (201, None, 7)
    assert bank.balance(bob) == 7


def test_nobody_is_given_more_than_fits(bank: Bank) -> None:
    rich, alice = bank.user(holding=MAX_MINOR), bank.user(holding=1)
    key = uuid4().hex
    first = bank.send(alice, rich, key=key)
    assert error(first, 409, "BALANCE_LIMIT") == {}
    assert bank.send(alice, rich, key=key).content == first.content
    error(bank.receive(rich, 1, uuid4().hex), 409, "BALANCE_LIMIT")
    assert bank.balance(alice) == 1


def test_another_tenant_is_not_there(bank: Bank) -> None:
    """Neither its people, nor what they have, nor their cursors."""
    alice = bank.user("same_name", holding=1_000)
    twin = bank.user("same_name", tenant=bank.people.other_tenant, holding=10)
    bob = bank.user("only_here")
    unknown = bank.send(alice, str(uuid4()))
    assert bank.send(alice, twin).content == unknown.content
    assert bank.send(twin, bob).content == unknown.content
    assert bank.send(twin, "only_here").content == unknown.content
    error(bank.send(twin, "same_name"), 400, "VALIDATION_ERROR")  # there that is himself
    foreign = bank.people.machine("wallet:receive", tenant=bank.people.other_tenant)
    nobody = bank.people.user()
    bank.people.forget(nobody)
    assert bank.receive(alice, 5, "r", who=foreign).content == bank.receive(nobody, 5, "r").content == unknown.content
    assert (bank.balance(alice), bank.balance(twin)) == (1_000, 10)


def test_a_cursor_is_good_for_whoever_got_it_for_its_list_and_its_filters(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user(holding=100)
    for _ in range(3):
        bank.send(alice, bob)
    cursor = bank.get(alice, "/transactions", limit=2).json()["next_cursor"]
    of_usd = bank.get(alice, "/transactions", limit=2, currency="USD").json()["next_cursor"]
    page = bank.client.get(f"/wallets/{alice.id}/transactions?limit=2", headers={"X-API-Key": KEY}).json()
    by_key = page["next_cursor"]
    assert len(bank.get(alice, "/transactions", cursor=cursor).json()["transactions"]) == 2
    assert len(bank.get(alice, "/transactions", cursor=cursor, limit=1).json()["transactions"]) == 1
    assert len(bank.get(alice, "/transactions", cursor=of_usd, currency="USD").json()["transactions"]) == 2
    wrong: list[httpx.Response] = [
        bank.get(bob, "/transactions", cursor=cursor),
        bank.get(alice, "/transactions", cursor=cursor, currency="USD"),
        bank.get(alice, "/transactions", cursor=of_usd),
        bank.get(alice, "/transactions", cursor=of_usd, currency="EUR"),
        bank.get(alice, "/holds", cursor=cursor),
        bank.get(alice, "/transactions", cursor=by_key),
        bank.client.get(f"/wallets/{alice.id}/transactions?cursor={cursor}", headers={"X-API-Key": KEY}),
        bank.get(alice, "/transactions", cursor="A" * 40),
    ]
    for answer in wrong:
        assert "cursor" in error(answer, 400, "VALIDATION_ERROR")
    assert len({answer.content for answer in (*wrong[:6], wrong[7])}) == 1


def test_pages_lead_through_everything_once(bank: Bank) -> None:
    alice, bob = bank.user(holding=100), bank.user()
    for _ in range(7):
        bank.send(alice, bob)
    lines, cursor = list[str](), None
    while True:
        page = bank.get(alice, "/transactions", limit=3, **({"cursor": cursor} if cursor else {})).json()
        lines += [line["transaction_id"] for line in page["transactions"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(lines) == len(set(lines)) == 8


def test_holds_and_what_came_of_them_are_shown_to_their_owner(bank: Bank) -> None:
    moved = move(bank.urls.owner_url)
    owner = bank.people.known(moved.user)
    open_hold, captured = bank.get(owner, "/holds").json()["holds"]
    assert captured == {
        "hold_id": str(moved.hold), "context": "auctions", "business_id": str(moved.business), "amount": 500,
        "captured": 300, "released": 200, "currency": "USD", "status": "CAPTURED",
        "created_at": "2026-01-31T12:00:00.000000Z", "expires_at": None,
    }  # fmt: skip
    assert (open_hold["status"], open_hold["amount"]) == ("OPEN", 70)
    first = bank.get(owner, "/holds", limit=1).json()
    assert bank.get(owner, "/holds", limit=1, cursor=first["next_cursor"]).json() == {
        "holds": [captured], "next_cursor": None,
    }  # fmt: skip
    (balance,) = bank.get(owner).json()["balances"]
    assert (balance["current_balance"], balance["held"]) == (9_675, 70)
    by_key = bank.client.get(f"/wallets/{owner.id}/transactions", headers={"X-API-Key": KEY}).json()["transactions"]
    own = bank.get(owner, "/transactions").json()["transactions"]
    assert [{name: line[name] for name in by_key[0]} for line in own] == by_key
    assert [line["kind"] for line in own if line["account"] == "held"] == ["CAPTURE_OUT"]
    assert [line["kind"] for line in own if line["balance_after"] is None] == ["CAPTURE_OUT"]
