"""The console's pages of orders, and the search that leads there."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.contexts.ordering.context import ORDERING
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests.consoles import browsing, log_in
from tests.ordering.shop import CONTEXTS, TENANT, Shop


@pytest.fixture
async def console(module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of ordering."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": f"identity,{CONTEXTS}"}))
    assert ORDERING.pages
    pages = ORDERING.pages(house.container("ordering"), ())
    async with AsyncExitStack() as stack, browsing(*pages) as client:
        for pool in await house.open(stack):
            await pool.wait()
        await log_in(client)
        yield client


def line(page: httpx.Response) -> list[str]:
    """What the time line says of each source, the oldest first."""
    assert page.status_code == 200, page.text
    return [
        ": ".join(found) for found in re.findall(r'<span class="source">(\w+)</span> <span>(.*?)</span>', page.text)
    ]


async def test_the_console_tells_it_too(console: httpx.AsyncClient, bought: Any) -> None:
    page = await console.get(f"/orders/{TENANT}/{bought['order_id']}")
    found = line(page)
    for moment in (
        "checkout: began: a cart of 1 line",
        "stock: reserved 2, since sold",
        "hold: placed: the money is set aside",
        "order: paid: the money is set aside",
        "outbox: order.paid written",
    ):
        assert found.count(moment) == 1, (moment, found)
    assert found.index("order: placed") < found.index("order: paid: the money is set aside")
    assert "a &lt;lamp&gt;" in page.text
    assert f"/holds/{bought['payment_ref']}" in page.text
    assert "a-secret-of-theirs" not in page.text


async def test_orders_are_listed_by_tenant_and_by_user_page_by_page(
    known_shop: Shop, console: httpx.AsyncClient
) -> None:
    shop = known_shop
    alice, bob = shop.user(), shop.user()
    ids = [shop.order(alice, bob, minutes_ago=n) for n in range(52)]
    first = await console.get(f"/orders?tenant={TENANT}&user={alice.id}")
    assert _ids(first) == ids[:50]
    (older,) = re.findall(r'<a href="(/orders\?[^"]*before=[^"]*)">Older', first.text)
    second = await console.get(older.replace("&amp;", "&"))
    assert _ids(second) == ids[50:]
    assert "Older" not in second.text
    assert set(_ids(await console.get(f"/orders?tenant={TENANT}"))) & set(ids)
    assert _ids(await console.get("/orders")) == []
    assert "None." in (await console.get("/orders")).text


def _ids(page: httpx.Response) -> list[UUID]:
    assert page.status_code == 200, page.text
    return [UUID(found) for found in re.findall(rf'href="/orders/{TENANT}/([^"]+)"', page.text)]


async def test_an_order_is_found_by_its_id(console: httpx.AsyncClient, bought: Any) -> None:
    found = await console.get(f"/search?id={bought['order_id'].upper()}")
    assert (found.status_code, found.headers["location"]) == (303, f"/orders/{TENANT}/{bought['order_id']}")
    assert (await console.get(f"/search?id={bought['checkout_id']}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orders?tenant=nobody", 404),
        ("/orders?user=x", 400),
        ("/orders?before=x", 400),
        ("/orders?a=1", 400),
        ("/orders/nobody/{id}", 404),
        ("/orders/default/{id}", 404),
        ("/orders/shop/x", 400),
    ],
)
async def test_what_there_is_not_has_a_page_that_says_so(
    console: httpx.AsyncClient, bought: Any, path: str, status: int
) -> None:
    assert (await console.get(path.format(id=bought["order_id"]))).status_code == status
