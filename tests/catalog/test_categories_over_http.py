"""Categories over HTTP: a tree that admins change, and everybody reads."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.catalog.shop import ELSEWHERE, Shop, refusal

CATEGORIES = "/v1/categories"
MEMBERS = {
    "category_id", "parent_id", "name", "slug", "description", "image_url", "sort_order", "is_active", "children",
}  # fmt: skip


def at(category: dict[str, Any]) -> str:
    return f"{CATEGORIES}/{category['category_id']}"


async def slugs(shop: Shop) -> Any:
    """The slugs of the tree, nested as it is."""

    def nested(categories: list[dict[str, Any]]) -> Any:
        return {each["slug"]: nested(each["children"]) for each in categories}

    return nested((await shop.get(CATEGORIES)).json()["categories"])


async def change(shop: Shop, category: dict[str, Any], **members: Any) -> Any:
    before = {name: category[name] for name in MEMBERS - {"category_id", "children"}}
    return await shop.send("PUT", at(category), shop.admin, before | members)


async def test_the_tree_is_read_by_anybody_in_the_order_that_admins_say(shop: Shop) -> None:
    assert await slugs(shop) == {}
    top = await shop.category(name=" Sports ", slug="sports", description="All of it", image_url="https://i.example/s")
    assert set(top) == MEMBERS
    assert (top["name"], top["parent_id"], top["children"]) == ("Sports", None, [])
    await shop.category(slug="second", parent_id=top["category_id"], sort_order=2)
    await shop.category(slug="first", parent_id=top["category_id"], sort_order=1)
    await shop.category(slug="b", name="B", parent_id=top["category_id"], sort_order=1)
    tree = (await shop.get(CATEGORIES)).json()["categories"]
    assert {name: tree[0][name] for name in MEMBERS - {"children"}} == {
        name: top[name] for name in MEMBERS - {"children"}
    }
    assert [*(await slugs(shop))["sports"]] == ["first", "b", "second"]
    assert (await shop.get(f"{ELSEWHERE}{CATEGORIES}")).json() == {"categories": []}


async def test_what_is_below_a_category_that_is_not_active_is_not_shown(shop: Shop) -> None:
    top = await shop.category(slug="top")
    middle = await shop.category(slug="middle", parent_id=top["category_id"])
    await shop.category(slug="low", parent_id=middle["category_id"])
    answer = await change(shop, middle, is_active=False)
    assert [each["slug"] for each in answer.json()["children"]] == ["low"]
    assert await slugs(shop) == {"top": {}}
    await change(shop, middle, is_active=True, slug="centre")
    assert await slugs(shop) == {"top": {"centre": {"low": {}}}}


async def test_a_category_is_never_below_itself(shop: Shop) -> None:
    top = await shop.category()
    middle = await shop.category(parent_id=top["category_id"])
    low = await shop.category(parent_id=middle["category_id"])
    for below in (top, middle, low):
        refusal(await change(shop, top, parent_id=below["category_id"]), 409, "CATEGORY_CYCLE")
    assert (await change(shop, low, parent_id=None)).status_code == 200
    assert (await change(shop, top, parent_id=low["category_id"])).status_code == 200


async def test_two_moves_at_once_make_no_ring(shop: Shop) -> None:
    for _ in range(5):
        one, other = await shop.category(), await shop.category()
        answers = await asyncio.gather(
            change(shop, one, parent_id=other["category_id"]), change(shop, other, parent_id=one["category_id"])
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_tree_is_at_most_six_deep(shop: Shop) -> None:
    line = [await shop.category()]
    for _ in range(5):
        line.append(await shop.category(parent_id=line[-1]["category_id"]))
    body = {"name": "x", "slug": f"c-{uuid4().hex}", "parent_id": line[-1]["category_id"]}
    assert set(refusal(await shop.send("POST", CATEGORIES, shop.admin, body), 400, "VALIDATION_ERROR")) == {"parent_id"}
    top = await shop.category()
    assert set(refusal(await change(shop, line[0], parent_id=top["category_id"]), 400, "VALIDATION_ERROR")) == {
        "parent_id"
    }
    assert (await change(shop, line[1], parent_id=top["category_id"])).status_code == 200


async def test_a_slug_is_one_categorys(shop: Shop) -> None:
    first = await shop.category(slug="taken")
    other = await shop.category()
    again = await shop.send("POST", CATEGORIES, shop.admin, {"name": "Again", "slug": "taken"})
    refusal(again, 409, "SLUG_TAKEN")
    refusal(await change(shop, other, slug="taken"), 409, "SLUG_TAKEN")
    assert (await change(shop, first, name="Itself")).status_code == 200
    assert (await shop.send("DELETE", at(first), shop.admin)).status_code == 204
    assert (await change(shop, other, slug="taken")).status_code == 200


async def test_a_category_that_is_in_use_stays(shop: Shop) -> None:
    top = await shop.category(slug="used")
    below = await shop.category(parent_id=top["category_id"])
    product = await shop.product(category_id=below["category_id"])
    for category in (top, below):
        refusal(await shop.send("DELETE", at(category), shop.admin), 409, "CATEGORY_IN_USE")
    await shop.send("DELETE", f"/v1/products/{product['product_id']}", shop.seller)
    for category in (below, top):
        assert (await shop.send("DELETE", at(category), shop.admin)).status_code == 204
        refusal(await shop.send("DELETE", at(category), shop.admin), 404, "NOT_FOUND")
        refusal(await change(shop, category), 404, "NOT_FOUND")
    assert "used" not in await slugs(shop)


async def test_no_product_gets_into_a_category_that_goes(shop: Shop) -> None:
    for _ in range(10):
        category = await shop.category()
        body = {"title": "x", "condition": "new", "price": 1, "currency": "USD", "quantity": 1}
        put, gone = await asyncio.gather(
            shop.send("POST", "/v1/products", shop.seller, body | {"category_id": category["category_id"]}),
            shop.send("DELETE", at(category), shop.admin),
        )
        assert (put.status_code, gone.status_code) in ((201, 409), (400, 204))


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"slug": "Upper"}, "slug"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "a\n"}, "slug"),
        ({"slug": "\u00e9"}, "slug"),
        ({"slug": "x" * 65}, "slug"),
        ({"parent_id": str(uuid4())}, "parent_id"),
        ({"parent_id": "top"}, "parent_id"),
        ({"description": "x" * 1001}, "description"),
        ({"image_url": "http://i.example/"}, "image_url"),
        ({"sort_order": 1_000_001}, "sort_order"),
        ({"sort_order": "1"}, "sort_order"),
        ({"is_active": "no"}, "is_active"),
        ({"children": []}, "children"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_is_malformed_is_refused_by_the_member_that_is_wrong(
    shop: Shop, members: dict[str, Any], member: str
) -> None:
    body = {"name": "A", "slug": f"c-{uuid4().hex}"} | members
    answer = await shop.send("POST", CATEGORIES, shop.admin, body)
    assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {member}


async def test_only_admins_change_categories(shop: Shop) -> None:
    category = await shop.category()
    body = {"name": "A", "slug": "mine"}
    for who, status in ((shop.seller, 403), (shop.buyer, 403), (shop.people.machine(), 403), (None, 401)):
        for method, target, sent in (
            ("POST", CATEGORIES, body), ("PUT", at(category), body), ("DELETE", at(category), None)
        ):  # fmt: skip
            assert (await shop.send(method, target, who, sent)).status_code == status
