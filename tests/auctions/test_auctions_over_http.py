"""Auctions over HTTP: opened, read, bought and called off; what each is shown, and every refusal."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.money import MAX_MINOR
from app.kernel.principal import Role
from app.platform.http.queries import to_cursor
from tests.api_harness import error
from tests.auctions.room import Room, hence

VIEW = {
    "auction_id", "product_id", "seller_id", "currency", "starting_price", "buy_now_price", "reserve_met",
    "current_price", "minimum_bid", "bid_count", "leader", "leading", "status", "starts_at", "ends_at", "version",
    "order_id",
}  # fmt: skip


def seller_of(room: Room) -> Any:
    return room.user(role=Role.SELLER)


def test_it_is_opened_as_it_was_said_and_one_piece_is_reserved(room: Room) -> None:
    seller = seller_of(room)
    product = room.product(seller, quantity=2)
    shown = room.opened(seller, product_id=str(product), reserve_price=200, buy_now_price=300, starting_price=100)
    assert shown.keys() == VIEW | {"reserve_price"}
    expected = {
        "product_id": str(product), "seller_id": str(seller.id), "currency": "USD", "starting_price": 100,
        "reserve_price": 200, "buy_now_price": 300, "reserve_met": False, "current_price": 100, "minimum_bid": 100,
        "bid_count": 0, "leader": None, "leading": False, "status": "live", "version": 1, "order_id": None,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    query = "SELECT quantity, reserved FROM catalog.products WHERE id = %s"
    assert room.query(query, product) == [(2, 1)]


def test_one_with_a_start_is_scheduled(room: Room) -> None:
    shown = room.opened(seller_of(room), starts_at=hence(60), ends_at=hence(3_600))
    assert shown["status"] == "scheduled"
    error(room.buy(room.user(), shown["auction_id"]), 409, "AUCTION_CLOSED")


def test_null_is_as_good_as_nothing(room: Room) -> None:
    shown = room.opened(seller_of(room), reserve_price=None, buy_now_price=None, starts_at=None)
    assert (shown["reserve_price"], shown["buy_now_price"], shown["status"]) == (None, None, "live")


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"reserve_price": 99}, "reserve_price"),
        ({"buy_now_price": 99}, "buy_now_price"),
        ({"reserve_price": 200, "buy_now_price": 199}, "buy_now_price"),
        ({"starting_price": 0}, "starting_price"),
        ({"starting_price": MAX_MINOR + 1}, "starting_price"),
        ({"starting_price": 1.5}, "starting_price"),
        ({"reserve_price": "200"}, "reserve_price"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "usd"}, "currency"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"ends_at": "2999-01-01T00:00:00"}, "ends_at"),
        ({"ends_at": hence(30)}, "ends_at"),
        ({"ends_at": hence(-30)}, "ends_at"),
        ({"ends_at": hence(31 * 86_400)}, "ends_at"),
        ({"starts_at": hence(400 * 86_400), "ends_at": hence(401 * 86_400)}, "starts_at"),
        ({"starts_at": 5}, "starts_at"),
        ({"product_id": "x"}, "product_id"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_member(room: Room, members: dict[str, Any], member: str) -> None:
    seller = seller_of(room)
    answer = room.post(seller, room.body(seller, **members))
    assert [*error(answer, 400, "VALIDATION_ERROR")] == [member]
    assert room.query("SELECT auction_id FROM auctions.openings") == []


def test_only_ones_own_products_and_only_as_many_as_there_are(room: Room) -> None:
    seller, other = seller_of(room), seller_of(room)
    product = str(room.product(seller))
    bodies = [room.body(other, product_id=of) for of in (product, str(uuid4()))]
    answers = [room.post(other, body) for body in bodies]
    for answer in answers:
        error(answer, 404, "NOT_FOUND")
    assert answers[0].content == answers[1].content
    error(room.post(room.user(), bodies[0]), 403, "FORBIDDEN")
    error(room.client.post("/v1/auctions", json=bodies[0]), 401, "UNAUTHORIZED")
    room.opened(seller, product_id=product)
    details = error(room.post(seller, room.body(seller, product_id=product)), 409, "OUT_OF_STOCK")
    assert details == {"products": [{"product_id": product, "available": 0}]}


def test_the_reserve_is_its_sellers_and_a_leader_a_number_but_to_oneself(room: Room) -> None:
    seller, ann, bob = seller_of(room), room.user(), room.user()
    auction = room.opened(seller, reserve_price=150)["auction_id"]
    for who in (ann, bob):
        room.pay_in(who, 1_000)
    room.bid(ann, auction, 100, 140)
    room.bid(bob, auction, 125, 149)
    seen = {name: room.get(who, f"/{auction}").json() for name, who in
            {"seller": seller, "ann": ann, "bob": bob, "nobody": None}.items()}  # fmt: skip
    for name, view in seen.items():
        assert ("reserve_price" in view) == (name == "seller")
        assert (view["leader"], view["leading"], view["bid_count"]) == ("b****2", name == "bob", 2)
        assert (view["current_price"], view["minimum_bid"], view["reserve_met"]) == (149, 174, False)
    text = str(seen["nobody"])
    assert str(ann.id) not in text
    assert str(bob.id) not in text


def test_bids_are_told_newest_first_and_page_by_page(room: Room) -> None:
    ann, bob, auction = room.user(), room.user(), room.auction()
    for who in (ann, bob):
        room.pay_in(who, 10_000)
    for who, amount in ((ann, 100), (bob, 200), (ann, 300)):
        assert room.bid(who, auction, amount).status_code == 201
    page = room.get(None, f"/{auction}/bids", limit=2).json()
    assert [(b["sequence"], b["bidder"], b["amount"], b["current_price"]) for b in page["bids"]] == [
        (3, "b****1", 300, 225), (2, "b****2", 200, 125),
    ]  # fmt: skip
    rest = room.get(None, f"/{auction}/bids", limit=2, cursor=page["next_cursor"]).json()
    assert ([b["sequence"] for b in rest["bids"]], rest["next_cursor"]) == ([1], None)
    for path, cursor in ((f"/{room.auction()}/bids", page["next_cursor"]), (f"/{auction}/bids", "x" * 40)):
        assert [*error(room.get(None, path, cursor=cursor), 400, "VALIDATION_ERROR")] == ["cursor"]


@pytest.mark.parametrize("sequence", [2**31, 2**63, 2**128 - 1])
def test_a_cursor_that_somebody_made_up_is_a_place_like_any(room: Room, sequence: int) -> None:
    ann, auction = room.user(), room.auction()
    room.pay_in(ann, 100)
    assert room.bid(ann, auction, 100).status_code == 201
    cursor = to_cursor(auction, (datetime.now(UTC), UUID(int=sequence)), "/v1/auctions/{id}/bids")
    answer = room.get(None, f"/{auction}/bids", cursor=cursor)
    assert answer.status_code == 200, answer.text
    assert [bid["sequence"] for bid in answer.json()["bids"]] == [1]


def test_what_is_not_there_or_another_tenants_is_not_found(room: Room) -> None:
    other = room.auction(tenant=room.people.other_tenant)
    for auction in (uuid4(), other):
        for path in (f"/{auction}", f"/{auction}/bids"):
            error(room.get(None, path), 404, "NOT_FOUND")
        admin = room.user(role=Role.ADMIN)
        error(room.cancel(admin, auction), 404, "NOT_FOUND")
        error(room.buy(admin, auction), 404, "NOT_FOUND")


def test_a_purchase_is_an_order_and_the_same_again_is_the_same_bytes(room: Room) -> None:
    seller, buyer = seller_of(room), room.user()
    auction = room.opened(seller, buy_now_price=300)
    room.pay_in(buyer, 1_000)
    bought = room.buy(buyer, auction["auction_id"], "key")
    assert bought.status_code == 201, bought.text
    order = bought.json()["order"]
    assert (order["status"], order["total"], order["buyer_id"]) == ("paid", 300, str(buyer.id))
    assert order["items"] == [{"product_id": auction["product_id"], "title": "a lamp", "qty": 1, "price": 300}]
    again = room.buy(buyer, auction["auction_id"], "key")
    assert (again.content, again.headers["idempotent-replayed"]) == (bought.content, "true")
    answer = room.client.get(f"/v1/orders/{order['order_id']}", headers=buyer.bearer)
    assert answer.json() == order
    view = room.get(buyer, f"/{auction['auction_id']}").json()
    assert (view["status"], view["order_id"], view["current_price"]) == ("ended", order["order_id"], 300)
    assert (view["leader"], view["leading"], view["version"]) == (None, False, 2)
    error(room.buy(buyer, room.auction(), "key"), 422, "IDEMPOTENCY_KEY_REUSED")
    error(room.bid(buyer, auction["auction_id"], 500, key="key"), 422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("code", "balance", "members", "details"),
    [
        ("BUY_NOW_GONE", 1_000, {}, {}),
        ("INSUFFICIENT_FUNDS", 299, {"buy_now_price": 300},
         {"currency": "USD", "current_balance": 299, "amount": 300}),
    ],
)  # fmt: skip
def test_a_purchase_that_is_refused_says_why_and_that_is_stored(
    room: Room, code: str, balance: int, members: dict[str, Any], details: dict[str, Any]
) -> None:
    buyer, auction = room.user(), room.opened(seller_of(room), **members)["auction_id"]
    room.pay_in(buyer, balance)
    refused = room.buy(buyer, auction, "key")
    assert error(refused, 409, code) == details
    room.pay_in(buyer, 9_000)
    again = room.buy(buyer, auction, "key")
    assert (again.content, again.headers["idempotent-replayed"]) == (refused.content, "true")


def test_a_purchase_needs_a_key_and_a_user(room: Room) -> None:
    auction = room.auction()
    answer = room.client.post(f"/v1/auctions/{auction}/buy", headers=room.user().bearer)
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["Idempotency-Key"]
    error(room.buy(room.people.machine(), auction), 403, "FORBIDDEN")
    error(room.client.post(f"/v1/auctions/{auction}/buy", headers={"Idempotency-Key": "key"}), 401, "UNAUTHORIZED")


def test_it_is_called_off_by_whom_it_may_be(room: Room) -> None:
    seller, ann, admin = seller_of(room), room.user(), room.user(role=Role.ADMIN)
    auction = room.opened(seller)
    for stranger in (ann, seller_of(room), room.user(role=Role.ADMIN, tenant=room.people.other_tenant)):
        error(room.cancel(stranger, auction["auction_id"]), 404, "NOT_FOUND")
    off = room.cancel(seller, auction["auction_id"])
    assert (off.status_code, off.json()["status"], off.json()["version"]) == (200, "cancelled", 2)
    assert room.cancel(seller, auction["auction_id"]).json() == off.json(), "the same again"
    led = room.opened(seller)["auction_id"]
    room.pay_in(ann, 1_000)
    assert room.bid(ann, led, 100).status_code == 201
    error(room.cancel(seller, led), 409, "AUCTION_HAS_BIDS")
    assert room.cancel(admin, led).json()["status"] == "cancelled"
    query = "SELECT current_balance, held FROM wallet_balances WHERE user_id = %s"
    assert room.query(query, ann.id) == [(1_000, 0)]
    bought = room.opened(seller, buy_now_price=300)["auction_id"]
    assert room.buy(ann, bought).status_code == 201
    assert error(room.cancel(admin, bought), 409, "AUCTION_CLOSED") == {"status": "ended"}


def test_a_product_in_an_auction_cannot_be_taken_away_until_that_is_over(room: Room) -> None:
    seller = seller_of(room)
    auction = room.opened(seller)
    pinned = (
        "SELECT count(*)::int FROM catalog.reservations r JOIN catalog.reservation_lines l USING (bucket, business_id)"
        " WHERE l.product_id = %s AND l.status = 'RESERVED' AND r.pinned"
    )
    assert room.query(pinned, UUID(auction["product_id"])) == [(1,)]
    room.cancel(seller, auction["auction_id"])
    assert room.query(pinned, UUID(auction["product_id"])) == [(0,)]
