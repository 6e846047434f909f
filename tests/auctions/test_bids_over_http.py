"""Bidding over HTTP: the happy path, every refusal, and what the same request gets."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.money import MAX_MINOR
from tests.api_harness import error, wait_until
from tests.auctions.room import Room


def test_a_bid_leads_and_another_is_higher(room: Room) -> None:
    ann, bob, auction = room.user(), room.user(), room.auction()
    for who in (ann, bob):
        room.pay_in(who, 1_000)
    first = room.bid(ann, auction, 100, 400, "first")
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["sequence"], told["amount"], told["leading"]) == (1, 100, True)
    assert (told["current_price"], told["minimum_bid"]) == (100, 125)
    assert "400" not in first.text.replace(told["bid_id"], "").replace(told["ends_at"], ""), "nobody is told a maximum"
    lower, higher = room.bid(bob, auction, 125, 300).json(), room.bid(bob, auction, 350, 500).json()
    assert (lower["leading"], lower["current_price"], lower["minimum_bid"]) == (False, 325, 350)
    assert (higher["leading"], higher["current_price"], higher["sequence"]) == (True, 425, 3)
    again = room.bid(ann, auction, 100, 400, "first")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")

    def held() -> Any:
        rows = room.query(
            "SELECT user_id, held FROM wallet_balances WHERE user_id = ANY(%s) AND held > 0", [ann.id, bob.id]
        )
        return rows == [(bob.id, 500)]

    wait_until(held)  # everything but the leader's maximum is back


def test_a_late_bid_tells_the_later_end(room: Room) -> None:
    ann, auction = room.user(), room.auction(ends_s=60)
    room.pay_in(ann, 1_000)
    ((before,),) = room.query("SELECT ends_at FROM auctions.auctions WHERE id = %s", auction)
    told = room.bid(ann, auction, 100).json()
    ((after, at),) = room.query(
        "SELECT a.ends_at, b.created_at FROM auctions.auctions a JOIN auctions.bids b ON b.auction_id = a.id"
        " WHERE a.id = %s",
        auction,
    )
    assert after > before
    assert ((after - at).total_seconds(), told["ends_at"][:26]) == (120, after.isoformat()[:26])


def _own(room: Room) -> tuple[Any, Any]:
    seller = room.user()
    return seller, room.auction(seller, starts_s=-60, ends_s=-1)


REFUSALS: dict[str, tuple[Callable[[Room], tuple[Any, Any]], int, dict[str, Any]]] = {
    "OWN_AUCTION": (_own, 1, {}),
    "AUCTION_CLOSED": (lambda room: (room.user(), room.auction(ends_s=-1)), 1, {"status": "live"}),
    "BID_TOO_LOW": (lambda room: (room.user(), room.auction()), 99, {"minimum_bid": 100}),
    "INSUFFICIENT_FUNDS": (
        lambda room: (room.user(), room.auction()),
        100,
        {"currency": "USD", "current_balance": 0, "amount": 100},
    ),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_says_what_is_wrong_and_is_stored(room: Room, code: str) -> None:
    make, amount, details = REFUSALS[code]
    who, auction = make(room)
    refused = room.bid(who, auction, amount, key="key")
    assert error(refused, 409, code) == details
    room.pay_in(who, 1_000)
    again = room.bid(who, auction, amount, key="key")
    assert (again.content, again.headers["idempotent-replayed"]) == (refused.content, "true")


def test_before_it_begins_an_auction_is_scheduled(room: Room) -> None:
    refused = room.bid(room.user(), room.auction(starts_s=60), 100)
    assert error(refused, 409, "AUCTION_CLOSED") == {"status": "scheduled"}


def test_what_is_not_there_or_anothers_is_not_found_and_not_stored(room: Room) -> None:
    ann = room.user()
    for auction in (uuid4(), room.auction(tenant=room.people.other_tenant)):
        error(room.bid(ann, auction, 100, key="key"), 404, "NOT_FOUND")
    assert room.query("SELECT key FROM v1_idempotency_keys WHERE user_id = %s", ann.id) == []


def test_a_key_is_one_requests(room: Room) -> None:
    ann, auction, other = room.user(), room.auction(), room.auction()
    room.pay_in(ann, 1_000)
    assert room.bid(ann, auction, 100, key="key").status_code == 201
    assert room.bid(ann, auction, 100, key="key").status_code == 201
    for of, amount, most in ((other, 100, None), (auction, 101, None), (auction, 100, 101)):
        error(room.bid(ann, of, amount, most, key="key"), 422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("amount", [None, 0, -1, 1.5, "1", MAX_MINOR + 1, True, [], {}])
def test_an_amount_is_a_whole_number_of_minor_units(room: Room, amount: Any) -> None:
    details = error(room.bid(room.user(), room.auction(), amount), 400, "VALIDATION_ERROR")
    assert details == {"amount": f"must be an integer between 1 and {MAX_MINOR}"}


@pytest.mark.parametrize("most", [0, 99, "100", 100.0, MAX_MINOR + 1, False, []])
def test_a_maximum_is_an_amount_that_is_no_lower(room: Room, most: Any) -> None:
    details = error(room.bid(room.user(), room.auction(), 100, most), 400, "VALIDATION_ERROR")
    assert details == {"max_amount": f"must be an integer between amount and {MAX_MINOR}"}


def test_a_maximum_that_is_null_is_none(room: Room) -> None:
    headers = room.user().bearer | {"Idempotency-Key": "key"}
    answer = room.client.post(
        f"/v1/auctions/{room.auction()}/bids", json={"amount": 100, "max_amount": None}, headers=headers
    )
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["max_amount"]


def test_only_users_bid_and_each_with_a_key(room: Room) -> None:
    auction = room.auction()
    assert room.bid(room.people.machine("wallet:receive"), auction, 100).status_code == 403
    answer = room.client.post(f"/v1/auctions/{auction}/bids", json={"amount": 100}, headers=room.user().bearer)
    assert "Idempotency-Key" in error(answer, 400, "VALIDATION_ERROR")
    error(room.client.post(f"/v1/auctions/{auction}/bids", json={"amount": 100}), 401, "UNAUTHORIZED")


def test_the_largest_amount_can_be_bid(room: Room) -> None:
    ann, auction = room.user(), room.auction()
    room.pay_in(ann, MAX_MINOR)
    assert room.bid(ann, auction, MAX_MINOR).json()["current_price"] == 100
    refused = room.bid(room.user(), auction, 1)
    assert error(refused, 409, "BID_TOO_LOW") == {"minimum_bid": 125}
