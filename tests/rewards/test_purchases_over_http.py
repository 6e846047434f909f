"""Purchases and refunds as machines record them, and what comes of them for their users."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.pace import slow
from tests.rewards.shop import ADDRESS, Shop


def test_a_purchase_earns_by_the_rule_and_waits_for_an_address(shop: Shop) -> None:
    rule, alice = shop.rule(125), shop.user()
    purchase = shop.bought(alice, 1_999, category="lamps")
    # floor(1999 × 125 × 10^6 / (10,000 × 100))
    cashback = purchase["cashback"]
    assert (cashback["amount"], cashback["rule_id"], cashback["status"]) == ("249875", rule["rule_id"], "EARNED")
    assert shop.balance(alice) == (249_875, 0, 0, 0)
    assert shop.kinds(alice) == [("EARNED", 249_875)]
    assert shop.told(alice, "mint.requested") == []


def test_with_an_address_it_is_asked_to_be_minted_at_once(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    purchase = shop.bought(alice, 1_000)
    assert purchase["cashback"]["status"] == "MINTING"
    assert shop.balance(alice) == (0, 100_000, 0, 0)
    (asked,) = shop.told(alice, "mint.requested")
    assert (asked["address"], asked["amount"]) == (ADDRESS.lower(), "100000")
    shop.mint(alice, asked)
    assert shop.balance(alice) == (0, 0, 100_000, 0)
    assert shop.kinds(alice) == [("EARNED", 100_000), ("MINTING", 100_000), ("MINTED", 100_000)]


def test_without_a_rule_or_a_rate_there_is_no_cashback(shop: Shop) -> None:
    alice = shop.user()
    assert shop.bought(alice)["cashback"] is None
    shop.rule(100, "EUR")
    assert shop.bought(alice, currency="EUR")["cashback"] is None
    assert shop.kinds(alice) == []


def test_the_same_reference_is_answered_with_what_was_answered_first(shop: Shop) -> None:
    shop.rule()
    alice = shop.user()
    first = shop.buy(alice, external_reference="till 4/1")
    shop.tell(alice, ADDRESS, 2)
    again = shop.buy(alice, external_reference="till 4/1")
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert "idempotent-replayed" not in again.headers
    assert len([kind for kind, _ in shop.kinds(alice) if kind == "EARNED"]) == 1
    for changes in ({"amount": 1_001}, {"category": "x"}, {"currency": "EUR"}):
        error(shop.buy(alice, **{"external_reference": "till 4/1"} | changes), 409, "REFERENCE_REUSED")
    error(shop.buy(shop.user(), external_reference="till 4/1"), 409, "REFERENCE_REUSED")
    assert shop.bought(alice, external_reference="till 4/1", merchant="another")["cashback"] is not None


def test_a_key_is_good_for_one_request(shop: Shop) -> None:
    shop.rule()
    alice, key = shop.user(), uuid4().hex
    first = shop.buy(alice, key=key, external_reference="once")
    again = shop.buy(alice, key=key, external_reference="once")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    error(shop.buy(alice, key=key, external_reference="twice"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_refusal_is_stored_with_its_key(shop: Shop) -> None:
    alice, key = shop.user(), uuid4().hex
    shop.bought(alice, external_reference="known")
    first = shop.buy(alice, 7, key=key, external_reference="known")
    error(first, 409, "REFERENCE_REUSED")
    again = shop.buy(alice, 7, key=key, external_reference="known")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")


def test_somebody_of_whom_no_event_has_told_yet_is_asked_for(shop: Shop) -> None:
    shop.rule()
    alice = shop.user(is_told=False)
    assert shop.bought(alice)["cashback"]["status"] == "EARNED"
    shop.tell(alice, ADDRESS)
    assert shop.balance(alice) == (0, 100_000, 0, 0)


def test_nobody_buys_anything_and_leaves_no_trace(shop: Shop) -> None:
    nobody = shop.user(is_told=False)
    shop.people.forget(nobody)
    key = uuid4().hex
    error(shop.buy(nobody, key=key), 404, "NOT_FOUND")
    assert shop.query("SELECT count(*) FROM v1_idempotency_keys WHERE key = %s", key) == [(0,)]
    stranger = shop.user(tenant=shop.people.other_tenant, is_told=False)
    error(shop.buy(stranger), 404, "NOT_FOUND")


def test_a_refund_takes_back_in_proportion_rounded_up_and_never_more(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user()
    purchase = shop.bought(alice, 7)  # 700 base units
    answers = [shop.refund(purchase, amount=amount).json()["reversed"] for amount in (2, 2, 3)]
    assert answers == ["200", "200", "300"]
    purchase = shop.bought(alice, 3)
    shop.query("UPDATE rewards.entries SET amount = 10, accrued = 10 WHERE id = %s", purchase["cashback"]["entry_id"])
    shop.query("UPDATE rewards.purchases SET cashback = 10 WHERE id = %s", purchase["purchase_id"])
    answers = [shop.refund(purchase, amount=1).json()["reversed"] for _ in range(3)]
    assert answers == ["4", "4", "2"]


def test_what_is_minted_already_is_owed_and_paid_out_of_what_comes_next(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    purchase = shop.bought(alice, 1_000)
    (asked,) = shop.told(alice, "mint.requested")
    shop.mint(alice, asked)
    refund = shop.refund(purchase)
    assert (refund.status_code, refund.json()["amount"], refund.json()["reversed"]) == (201, 1_000, "100000")
    assert shop.balance(alice) == (0, 0, 100_000, 100_000)
    assert shop.bought(alice, 400)["cashback"]["status"] == "OFFSET"
    assert shop.balance(alice) == (0, 0, 100_000, 60_000)
    assert shop.bought(alice, 1_000)["cashback"]["status"] == "MINTING"
    assert shop.balance(alice) == (0, 40_000, 100_000, 0)
    assert [asked["amount"] for asked in shop.told(alice, "mint.requested")] == ["100000", "40000"]


def test_minting_is_never_recalled_whether_it_comes_about_or_not(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    purchase = shop.bought(alice, 1_000)
    shop.refund(purchase, amount=400)
    assert shop.balance(alice) == (0, 100_000, 0, 40_000)
    (asked,) = shop.told(alice, "mint.requested")
    shop.fail(alice, asked)
    # back to accrued, the debt first, and what is left is asked for anew
    assert shop.balance(alice) == (0, 60_000, 0, 0)
    again = shop.told(alice, "mint.requested")[1]
    assert (again["amount"], again["entry_id"]) == ("60000", asked["entry_id"])
    assert again["request_id"] != asked["request_id"]
    shop.mint(alice, again)
    assert shop.balance(alice) == (0, 0, 60_000, 0)
    assert [kind for kind, _ in shop.kinds(alice)] == [
        "EARNED", "MINTING", "REVERSED", "MINT_FAILED", "OFFSET", "MINTING", "MINTED",
    ]  # fmt: skip


def test_refunds_are_never_more_than_the_purchase(shop: Shop) -> None:
    shop.rule()
    alice = shop.user()
    purchase = shop.bought(alice, 100)
    assert shop.refund(purchase, amount=60).status_code == 201
    assert error(shop.refund(purchase, amount=41), 409, "REFUND_TOO_LARGE") == {"refundable": 40}
    assert shop.refund(purchase).json()["amount"] == 40
    assert error(shop.refund(purchase), 409, "REFUND_TOO_LARGE") == {"refundable": 0}
    assert shop.balance(alice) == (0, 0, 0, 0)


def test_a_reference_is_good_for_one_refund_of_a_purchase(shop: Shop) -> None:
    alice = shop.user()
    purchase, other = shop.bought(alice, 100), shop.bought(alice, 100)
    first = shop.refund(purchase, amount=60, reference="r")
    assert shop.refund(purchase, amount=60, reference="r").content == first.content
    error(shop.refund(purchase, amount=30, reference="r"), 409, "REFERENCE_REUSED")
    error(shop.refund(purchase, reference="r"), 409, "REFERENCE_REUSED")
    assert shop.refund(other, amount=1, reference="r").status_code == 201
    rest = shop.refund(purchase, reference="the rest")
    assert shop.refund(purchase, reference="the rest").content == rest.content
    assert shop.refund(purchase, reference="the rest", amount=40).content == rest.content


def test_what_is_anothers_is_not_there(shop: Shop) -> None:
    purchase = shop.bought(shop.user())
    stranger = shop.people.machine("purchases:write", tenant=shop.people.other_tenant)
    shop_till, shop.till = shop.till, stranger
    try:
        error(shop.refund(purchase), 404, "NOT_FOUND")
        error(shop.refund({"purchase_id": uuid4()}), 404, "NOT_FOUND")
    finally:
        shop.till = shop_till


@pytest.mark.parametrize("role", Role)
def test_it_is_for_machines_with_the_scope(shop: Shop, role: Role) -> None:
    alice = shop.user()
    for who in (shop.people.user(role=role), shop.people.machine("wallet:receive")):
        answer = shop.buy(alice, machine=who)
        error(answer, 403, "FORBIDDEN")
        assert 'scope="purchases:write"' in answer.headers["www-authenticate"]


def test_machines_have_no_cashback_of_their_own(shop: Shop) -> None:
    for path in ("/v1/cashback", "/v1/cashback/balance", "/v1/rewards/rules"):
        error(shop.get(shop.till, path), 403, "FORBIDDEN")


def test_the_balance_tells_what_the_chain_does_and_null_while_that_is_away(shop: Shop) -> None:
    def on_chain(who: Any) -> Any:
        answer = shop.get(who, "/v1/cashback/balance")
        assert answer.elapsed.total_seconds() < slow(5)
        return answer.json()["on_chain"]

    alice, bob = shop.user(ADDRESS), shop.user()
    shop.chain.balances[ADDRESS.lower()] = 2**256 - 1
    assert on_chain(alice) == str(2**256 - 1)
    assert on_chain(bob) is None
    assert on_chain(shop.user(is_told=False)) is None
    for trouble in ("is_away", "is_silent"):
        setattr(shop.chain, trouble, True)
        try:
            assert on_chain(alice) is None
        finally:
            setattr(shop.chain, trouble, False)


def test_lines_are_paged_newest_first_and_a_cursor_is_its_owners(shop: Shop) -> None:
    shop.rule()
    alice, bob = shop.user(ADDRESS), shop.user()
    for _ in range(3):
        shop.bought(alice)
    first = shop.get(alice, "/v1/cashback", limit=4).json()
    following = {"cursor": first["next_cursor"]}
    last = shop.get(alice, "/v1/cashback", limit=4, **following).json()
    error(shop.get(bob, "/v1/cashback", **following), 400, "VALIDATION_ERROR")
    assert ([len(page["lines"]) for page in (first, last)], last["next_cursor"]) == ([4, 2], None)
    assert shop.get(alice, "/v1/cashback").json()["lines"] == first["lines"] + last["lines"]
