"""What is recommended: what others bought, else what is featured."""

from typing import Any
from uuid import UUID

import pytest

from tests.catalog.shop import Shop, refusal
from tests.fakes.people import Somebody

RECOMMENDED = "/v1/products?recommended=true"


def bought(shop: Shop, who: Somebody, *products: dict[str, Any]) -> None:
    for product in products:
        shop.rows(
            "INSERT INTO catalog.purchases VALUES (get_byte(uuid_send(%s), 15) & 15, %s, %s, %s, now())",
            *(who.id, shop.people.tenant, who.id, UUID(product["product_id"])),
        )


async def titles(shop: Shop, who: Somebody, more: str = "") -> list[str]:
    answer = await shop.get(RECOMMENDED + more, who)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next_cursor"] is None
    return [product["title"] for product in answer.json()["products"]]


async def test_what_others_bought_with_ones_own_comes_first_and_nothing_that_is_gone(shop: Shop) -> None:
    names = ("own", "twice", "once", "gone", "off", "elsewhere")
    products = {name: await shop.product(title=name) for name in names}
    mine = await shop.product(shop.admin, title="featured", featured=True)
    first, second, third = (shop.people.user() for _ in range(3))
    bought(shop, shop.buyer, products["own"])
    bought(shop, first, products["own"], products["twice"], products["once"], products["gone"], products["off"], mine)
    bought(shop, second, products["own"], products["twice"])
    bought(shop, third, products["elsewhere"])
    await shop.send("DELETE", f"/v1/products/{products['gone']['product_id']}", shop.seller)
    await shop.replace(products["off"], is_active=False)
    assert await titles(shop, shop.buyer) == ["twice", "featured", "once"]
    assert await titles(shop, shop.buyer, "&limit=1") == ["twice"]
    assert await titles(shop, third) == ["featured"]


async def test_without_purchases_it_is_the_newest_that_are_featured(shop: Shop) -> None:
    await shop.product(title="plain")
    for n in range(3):
        await shop.product(shop.admin, title=f"featured {n}", featured=True)
    assert await titles(shop, shop.buyer) == ["featured 2", "featured 1", "featured 0"]


async def test_one_is_not_recommended_what_one_sells(shop: Shop) -> None:
    own, other = await shop.product(title="own"), await shop.product(shop.admin, title="other")
    shared = await shop.product(shop.admin, title="shared")
    buyer = shop.people.user()
    bought(shop, shop.seller, shared)
    bought(shop, buyer, shared, own, other)
    assert await titles(shop, shop.seller) == ["other"]


async def test_it_takes_a_user_who_is_logged_in(shop: Shop) -> None:
    answer = await shop.get(RECOMMENDED)
    refusal(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="strongbox"'
    refusal(await shop.get(RECOMMENDED, shop.people.machine("wallet:receive")), 403, "FORBIDDEN")


@pytest.mark.parametrize("more", ["q=x", "sort=newest", "category=a", "currency=USD", "cursor=x", "in_stock=true"])
async def test_it_goes_with_a_limit_alone(shop: Shop, more: str) -> None:
    answer = await shop.get(f"{RECOMMENDED}&{more}", shop.buyer)
    assert set(refusal(answer, 400, "VALIDATION_ERROR")) == {"recommended"}
