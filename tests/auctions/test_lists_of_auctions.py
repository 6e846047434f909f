"""Lists of auctions over HTTP: filters, orders, pages and categories."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.auctions.room import Room


def seller_of(room: Room) -> Any:
    return room.user(role=Role.SELLER)


def listed(room: Room, **query: Any) -> list[UUID]:
    answer = room.get(None, "", **query)
    assert answer.status_code == 200, answer.text
    return [UUID(each["auction_id"]) for each in answer.json()["auctions"]]


def test_lists_have_filters_and_an_order(room: Room) -> None:
    seller = seller_of(room)
    of = str(seller.id)
    live, later = room.auction(seller, ends_s=1_000), room.auction(seller, ends_s=9_000)
    due, scheduled = room.auction(seller, ends_s=-1), room.auction(seller, starts_s=60, ends_s=5_000)
    over, off = room.auction(seller, ends_s=2_000), room.auction(seller, ends_s=3_000)
    closed = (
        "UPDATE auctions.auctions SET status = %s, closing = %s, closing_at = now(), closed_at = now() WHERE id = %s"
    )
    room.query(closed, "ended", "end", over)
    room.query(closed, "cancelled", "cancel", off)
    assert listed(room, seller=of) == [due, live, over, off, scheduled, later]
    assert listed(room, seller=of, sort="newest") == [off, over, scheduled, due, later, live]
    assert listed(room, seller=of, status="live") == [due, live, later], "until it is decided what came of it"
    assert listed(room, seller=of, status="scheduled") == [scheduled]
    assert listed(room, seller=of, status="ended") == [over]
    assert listed(room, seller=of, status="cancelled", sort="newest") == [off]
    assert listed(room, seller=str(uuid4())) == []


@pytest.mark.parametrize("sort", ["ending", "newest"])
def test_pages_follow_each_other_and_a_cursor_is_good_for_its_list(room: Room, sort: str) -> None:
    seller = seller_of(room)
    all_ = {room.auction(seller, ends_s=1_000) for _ in range(5)}
    room.query("UPDATE auctions.auctions SET created_at = now(), ends_at = now() + interval '1 hour',"
               " planned_end = now() + interval '1 hour' WHERE id = ANY(%s)", [*all_])  # fmt: skip
    query = {"seller": str(seller.id), "sort": sort, "limit": 2}
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = room.get(None, "", **query, **cursor).json()
        found += [each["auction_id"] for each in page["auctions"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(found) == 5
    assert {*map(UUID, found)} == all_
    for other in ({"sort": "newest" if sort == "ending" else "ending"}, {"status": "live"}, {"seller": str(uuid4())},
                  {"category": "lamps"}):  # fmt: skip
        answer = room.get(None, "", **(query | other), **cursor)
        assert [*error(answer, 400, "VALIDATION_ERROR")] == ["cursor"]


def test_of_a_category_are_those_below_it_too_as_they_were_opened(room: Room) -> None:
    seller = seller_of(room)
    ids, slugs = [uuid4() for _ in range(3)], [f"c{uuid4().hex[:8]}" for _ in range(3)]
    for category, slug, parent in zip(ids, slugs, (None, ids[0], None), strict=True):
        room.query(
            "INSERT INTO catalog.categories (tenant_id, id, parent_id, name, slug, created_at, updated_at)"
            " VALUES (%s, %s, %s, 'lamps', %s, now(), now())",
            room.people.tenant, category, parent, slug,
        )  # fmt: skip
    opened = [
        UUID(room.opened(seller, product_id=str(room.product(seller, category=category)))["auction_id"])
        for category in ids
    ]
    assert sorted(listed(room, category=slugs[0])) == sorted(opened[:2])
    assert listed(room, category=slugs[1]) == [opened[1]]
    assert listed(room, category=slugs[2], status="live") == [opened[2]]
    assert listed(room, category="no-such-thing") == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"status": "open"}, "status"),
        ({"status": ""}, "status"),
        ({"sort": "price"}, "sort"),
        ({"seller": "me"}, "seller"),
        ({"category": "Lamps!"}, "category"),
        ({"limit": 201}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"bidder": "me"}, "bidder"),
    ],
)
def test_a_list_that_nobody_can_make_sense_of_is_refused(room: Room, query: dict[str, Any], name: str) -> None:
    assert [*error(room.get(None, "", **query), 400, "VALIDATION_ERROR")] == [name]
