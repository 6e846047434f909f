"""An auction in the console, in Chromium: it stands there as it is, and keeps itself up to date."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, expect

from app.main.local.postgres import PostgresServer
from tests.auctions.two_apis import FIRST, TwoApis, two_apis
from tests.conftest import MakeDatabase
from tests.system.browser.consoles import PHONE, Console, Screen, screen
from tests.system.browser.test_pages_for_everybody import BROKEN, FAULTS


@dataclass(frozen=True)
class Watched:
    """Auctions, and a console that shows them."""

    apis: TwoApis
    console: Console


@pytest.fixture(scope="module")
def watched(
    make_fresh_database: MakeDatabase, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    with two_apis(make_fresh_database(), postgres_server, tmp_path_factory.mktemp("watched")) as apis:
        apis.house.stop(FIRST)  # no API is asked here
        console = Console(apis.house)
        console.start()
        yield Watched(apis, console)
        console.stop()


@pytest.fixture
async def desk(browser: Browser, watched: Watched) -> AsyncIterator[Screen]:
    """A screen on which somebody is logged in."""
    desk = await screen(browser, watched.console, viewport={"width": 1280, "height": 800})
    await desk.log_in()
    yield desk
    await desk.context.close()
    assert desk.wrong == []


async def test_what_happens_to_an_auction_shows_by_itself(desk: Screen, watched: Watched) -> None:
    hammer, page = watched.apis.hammer, desk.page
    auction = await hammer.opened(title="a <lamp>")
    await page.goto(f"/auctions/default/{auction.id}")
    said, facts = page.locator("[data-say]"), page.get_by_role("region", name="Facts")
    await expect(said).to_have_text("Nobody has bid")
    await expect(facts).to_contain_text("a <lamp>")
    auction = await hammer.bid(auction, 3)
    await expect(said).to_have_text("b****3 leads")
    await expect(facts).to_contain_text("1,200 USD")
    spoken = page.locator("[data-spoken]")
    await expect(spoken).to_have_text("b****3 leads")
    await hammer.closed(auction)
    await expect(said).to_have_text("It has ended, unsold")


async def test_it_fits_a_phone_and_can_be_read(browser: Browser, watched: Watched) -> None:
    auction = await watched.apis.hammer.opened(title="w" * 140)
    for scheme in ("light", "dark"):
        window = await screen(browser, watched.console, viewport=PHONE, color_scheme=scheme)
        await window.log_in()
        await window.page.goto(f"/auctions/default/{auction.id}")
        assert await window.page.evaluate(FAULTS) == [], scheme
        await window.page.set_viewport_size({"width": 1280, "height": 800})
        assert await window.page.evaluate(BROKEN) == []
        await window.context.close()
        assert window.wrong == []
