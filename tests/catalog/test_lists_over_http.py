"""Lists of products over HTTP: filters, orders, and pages that go on where the one before ended."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.catalog.shop import ELSEWHERE, Shop, refusal
from tests.fakes.people import Somebody

PRODUCTS = "/v1/products"


async def listed(shop: Shop, who: Somebody | None = None, **asked: Any) -> list[str]:
    """The titles on a page, which is the only one."""
    answer = await shop.get(f"{PRODUCTS}?{urlencode(asked)}", who)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next_cursor"] is None
    return [product["title"] for product in answer.json()["products"]]


async def walked(shop: Shop, limit: int, **asked: Any) -> list[str]:
    """The titles of all pages."""
    titles: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await shop.get(f"{PRODUCTS}?{urlencode(asked | cursor | {'limit': limit})}")).json()
        titles += [product["title"] for product in page["products"]]
        if page["next_cursor"] is None:
            return titles
        assert len(page["products"]) == limit
        cursor = {"cursor": page["next_cursor"]}


async def test_the_newest_come_first_and_each_is_as_it_is_read_alone(shop: Shop) -> None:
    assert await listed(shop) == []
    products = [await shop.product(title=f"t{n}") for n in range(3)]
    answer = await shop.get(PRODUCTS)
    assert answer.json() == {"products": products[::-1], "next_cursor": None}
    assert await listed(shop, sort="newest") == ["t2", "t1", "t0"]
    assert (await shop.get(f"{ELSEWHERE}{PRODUCTS}")).json()["products"] == []


async def test_each_filter_leaves_what_it_says(shop: Shop) -> None:
    other = shop.people.user(role=Role.SELLER)
    await shop.product(title="plain")
    await shop.product(other, title="another's")
    await shop.product(title="good", condition="good")
    await shop.product(title="euro", currency="EUR", price=100)
    await shop.product(title="dear", price=10_000)
    await shop.product(title="none left", quantity=0)
    await shop.product(shop.admin, title="featured", featured=True)
    for asked, expected in (
        ({"seller": other.id}, {"another's"}),
        ({"seller": str(other.id).upper()}, {"another's"}),
        ({"condition": "good"}, {"good"}),
        ({"currency": "EUR"}, {"euro"}),
        ({"currency": "USD", "min_price": 1251}, {"dear"}),
        ({"currency": "EUR", "max_price": 100}, {"euro"}),
        ({"currency": "EUR", "max_price": 99}, set()),
        ({"currency": "USD", "min_price": 10_000, "max_price": 10_000}, {"dear"}),
        ({"featured": "true"}, {"featured"}),
        ({"in_stock": "false"}, {"none left"}),
        ({"in_stock": "true", "condition": "new", "currency": "USD", "max_price": 1250, "featured": "false"},
         {"plain", "another's"}),
        ({"seller": other.id, "condition": "good"}, set()),
        ({"seller": uuid4()}, set()),
        ({"recommended": "false", "condition": "good"}, {"good"}),
    ):  # fmt: skip
        assert set(await listed(shop, None, **asked)) == expected, asked


async def test_a_category_has_what_is_in_those_below_it_and_is_active(shop: Shop) -> None:
    top = await shop.category(slug="list-top")
    low = await shop.category(slug="list-low", parent_id=top["category_id"])
    off = await shop.category(slug="list-off", parent_id=top["category_id"], is_active=False)
    for title, category in (("in top", top), ("in low", low), ("in off", off)):
        await shop.product(title=title, category_id=category["category_id"])
    await shop.product(title="in none")
    assert await listed(shop, category="list-top") == ["in low", "in top"]
    assert await listed(shop, category="list-low") == ["in low"]
    assert await listed(shop, category="list-off") == []
    assert await listed(shop, category="nowhere") == []
    body = {"name": "On", "slug": "list-off", "parent_id": low["category_id"]}
    assert (await shop.send("PUT", f"/v1/categories/{off['category_id']}", shop.admin, body)).status_code == 200
    assert await listed(shop, category="list-low") == ["in off", "in low"]


async def test_prices_sort_within_a_currency(shop: Shop) -> None:
    for price in (300, 100, 200, 100):
        await shop.product(title=str(price), price=price)
    await shop.product(title="euro", price=1, currency="EUR")
    assert await listed(shop, sort="price", currency="USD") == ["100", "100", "200", "300"]
    assert await listed(shop, sort="-price", currency="USD") == ["300", "200", "100", "100"]
    for asked in (
        {"sort": "price"},
        {"sort": "-price"},
        {"min_price": 1},
        {"max_price": 1},
        {"sort": "price", "q": "x"},
    ):
        answer = await shop.get(f"{PRODUCTS}?{urlencode(asked)}")
        assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {"currency"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sort": "price", "currency": "USD"},
        {"sort": "-price", "currency": "USD"},
        {"q": "thing"},
        {"q": "thing", "sort": "price", "currency": "USD"},
        {"q": "-missing"},
        {"seller": "self"},
    ],
    ids=urlencode,
)
@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_have_each_product_once_in_the_order_of_the_whole(
    shop: Shop, asked: dict[str, Any], limit: int
) -> None:
    if "seller" in asked:
        asked = {"seller": str(shop.seller.id)}
    for n in range(7):
        await shop.product(title=f"thing {n}", description="thing " * (n % 3), price=1 + n % 2)
    whole = await listed(shop, None, **asked)
    assert len(whole) == 7
    assert await walked(shop, limit, **asked) == whole


@pytest.mark.parametrize("sort", ["newest", "price", "-price", "rank"])
async def test_a_cursor_survives_what_comes_and_goes(shop: Shop, sort: str) -> None:
    asked = {"q": "thing"} if sort == "rank" else {"sort": sort, "currency": "USD"}
    products = {f"thing {n}": await shop.product(title=f"thing {n}", price=10 + n) for n in range(6)}
    order = await listed(shop, None, **asked)
    first = (await shop.get(f"{PRODUCTS}?{urlencode(asked | {'limit': 3})}")).json()
    last = products[order[2]]
    for gone in (products[order[0]], last, products[order[4]]):
        await shop.send("DELETE", f"{PRODUCTS}/{gone['product_id']}", shop.seller)
    await shop.product(title="thing new", price=12)
    rest = await shop.get(f"{PRODUCTS}?{urlencode(asked | {'limit': 3, 'cursor': first['next_cursor']})}")
    titles = [product["title"] for product in rest.json()["products"]]
    assert [title for title in titles if title != "thing new"] == [order[3], order[5]]


async def test_a_cursor_is_good_for_the_same_list_alone(shop: Shop) -> None:
    for n in range(3):
        await shop.product(title=f"thing {n}")
    asked = {"currency": "USD", "limit": 1}
    cursor = (await shop.get(f"{PRODUCTS}?{urlencode(asked)}")).json()["next_cursor"]
    for same in ({"limit": 2}, {}, {"sort": "newest"}):
        answer = await shop.get(f"{PRODUCTS}?{urlencode({'currency': 'USD', 'cursor': cursor} | same)}")
        assert answer.status_code == 200
        assert answer.json()["products"][0]["title"] == "thing 1"
    for other in (
        {}, {"currency": "EUR"}, {"currency": "USD", "sort": "price"}, {"currency": "USD", "q": "thing"},
        {"currency": "USD", "in_stock": "true"}, {"currency": "USD", "seller": shop.seller.id},
        {"currency": "USD", "category": "x"},
    ):  # fmt: skip
        answer = await shop.get(f"{PRODUCTS}?{urlencode(other | {'cursor': cursor})}")
        assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {"cursor"}
    foreign = await shop.get(f"{ELSEWHERE}{PRODUCTS}?{urlencode({'currency': 'USD', 'cursor': cursor})}")
    assert set(refusal(foreign, 400, "VALIDATION_ERROR")) == {"cursor"}
    for garbage in ("", "x", cursor[:-1], cursor[:-4] + "AAAA", "A" * 64, cursor + "A", "%00" * 64):
        answer = await shop.get(f"{PRODUCTS}?currency=USD&cursor={garbage}")
        assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {"cursor"}


async def test_what_is_not_active_is_listed_for_its_seller_alone(shop: Shop) -> None:
    product = await shop.product(title="off")
    assert (await shop.replace(product, is_active=False)).status_code == 200
    asked = {"seller": str(shop.seller.id)}
    assert await listed(shop) == []
    assert await listed(shop, None, **asked) == []
    assert await listed(shop, shop.buyer, **asked) == []
    assert await listed(shop, shop.seller, **asked) == ["off"]
    assert await listed(shop, shop.seller) == []


async def test_a_writer_reads_its_own_write_in_every_list_at_once(shop: Shop) -> None:
    assert await listed(shop, q="bicycle") == []
    product = await shop.product(title="bicycle")
    assert await listed(shop, q="bicycle") == ["bicycle"] == await listed(shop)
    assert (await shop.replace(product, title="tandem", condition="poor")).status_code == 200
    assert await listed(shop, q="bicycle") == [] == await listed(shop, condition="new")
    assert await listed(shop, q="tandem") == ["tandem"] == await listed(shop, condition="poor")
    await shop.send("DELETE", f"{PRODUCTS}/{product['product_id']}", shop.seller)
    assert await listed(shop, q="tandem") == [] == await listed(shop)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("q=", "q"), ("q=%20", "q"), ("q=%00", "q"), ("q=" + "x" * 201, "q"), ("q=%E2%80%AE", "q"), ("q=%FF", "query"),
        ("category=Upper", "category"), ("category=", "category"), ("category=a%0A", "category"),
        ("seller=me", "seller"), ("condition=broken", "condition"), ("condition=NEW", "condition"),
        ("currency=usd", "currency"), ("currency=ZZZ", "currency"), ("min_price=1", "currency"),
        ("currency=USD&min_price=-1", "min_price"), ("currency=USD&min_price=1.5", "min_price"),
        ("currency=USD&min_price=01", "min_price"), ("currency=USD&max_price=9223372036854775808", "max_price"),
        ("currency=USD&max_price=1e3", "max_price"), ("currency=USD&max_price=%D9%A3", "max_price"),
        ("currency=USD&min_price=2&max_price=1", "max_price"), ("featured=1", "featured"), ("in_stock=yes", "in_stock"),
        ("recommended=True", "recommended"), ("sort=rank", "sort"), ("sort=price", "currency"), ("sort=", "sort"),
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=1.0", "limit"), ("cursor=x", "cursor"),
        ("colour=red", "colour"), ("sort=newest&sort=newest", "sort"), ("q", "query"),
    ],
)  # fmt: skip
async def test_a_malformed_query_is_refused_by_the_parameter_that_is_wrong(shop: Shop, query: str, wrong: str) -> None:
    assert set(refusal(await shop.get(f"{PRODUCTS}?{query}"), 400, "VALIDATION_ERROR")) == {wrong}


async def test_all_filters_may_come_together(shop: Shop) -> None:
    query = (
        f"q=x&category=a&seller={uuid4()}&condition=new&currency=USD&min_price=1&max_price=2&featured=true"
        "&in_stock=true&recommended=false&sort=-price&limit=2"
    )
    assert (await shop.get(f"{PRODUCTS}?{query}")).json() == {"products": [], "next_cursor": None}
