"""The console's page of an auction, which keeps itself up to date."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from app.contexts.auctions.context import AUCTIONS
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests.auctions.gallery import CONTEXTS, Gallery, gallery
from tests.auctions.hammer import MAXIMUM, RESERVE
from tests.consoles import browsing, log_in

__all__ = ["gallery"]

TENANT = "hall"


@pytest.fixture
async def console(gallery: Gallery, module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of auctions."""
    gallery.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())"
        " ON CONFLICT DO NOTHING",
        gallery.people.tenant, TENANT,
    )  # fmt: skip
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": f"identity,{CONTEXTS}"}))
    assert AUCTIONS.pages
    pages = AUCTIONS.pages(house.container("auctions"), ())
    async with AsyncExitStack() as stack, browsing(*pages) as client:
        for pool in await house.open(stack):
            await pool.wait()
        await log_in(client)
        yield client


async def test_the_page_shows_how_it_stands_and_its_part_what_has_happened_since(
    gallery: Gallery, console: httpx.AsyncClient
) -> None:
    hammer = gallery.hammer
    auction = await hammer.opened(title="a <lamp>", reserve_price_minor=RESERVE)
    path = f"/auctions/{TENANT}/{auction.id}"
    page = await console.get(path)
    assert page.status_code == 200, page.text
    assert f'data-live="/live{path}"' in page.text
    assert "a &lt;lamp&gt;" in page.text
    assert "Nobody has bid" in page.text
    auction = await hammer.bid(await hammer.bid(auction, max_minor=MAXIMUM))
    part = (await console.get(f"/live{path}")).text
    assert "b****1 leads" in part
    assert ">1,200 USD" in part
    assert "<html" not in part
    for secret in (MAXIMUM, RESERVE, *hammer.bidders, f"{MAXIMUM:,}", f"{RESERVE:,}"):
        assert str(secret) not in page.text + part
    await hammer.closed(auction)
    assert "It has ended, unsold" in (await console.get(f"/live{path}")).text


async def test_the_search_leads_there_and_what_is_not_there_is_said_so(
    gallery: Gallery, console: httpx.AsyncClient
) -> None:
    auction = await gallery.hammer.opened()
    found = await console.get("/search", params={"id": str(auction.id)})
    assert found.headers["location"] == f"/auctions/{TENANT}/{auction.id}/story"
    nowhere = await console.get(f"/auctions/{TENANT}/{'0' * 8}-0000-7000-8000-{'0' * 12}")
    assert nowhere.status_code == 404
    assert (await console.get(f"/auctions/elsewhere/{auction.id}")).status_code == 404
    assert (await console.get(f"/auctions/{TENANT}/x")).status_code == 400
