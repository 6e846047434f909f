"""The page of the documentation that shows an auction live, in Chromium, through a balancer that cuts."""

import signal
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from app.main.local.postgres import PostgresServer
from tests.auctions.two_apis import FIRST, TwoApis, two_apis
from tests.auctions.watched import live
from tests.conftest import MakeDatabase
from tests.system.browser.consoles import window
from tests.system.documents import ROOT

PAGE = ROOT / "docs/how-to/auction-page.html"
INTERRUPTED = "Interrupted. The browser asks again, from where it stood."
# What stands there for a second only, whoever looks.
NOTE = """place => {
  window.said = [];
  const note = () => said.push(place.textContent);
  new MutationObserver(note).observe(place, {childList: true, characterData: true, subtree: true});
}"""
READ = "lines => lines.map(line => `${line.value} ${line.textContent.split(':')[0]}`)"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Tell nobody."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another site, which serves the page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(PAGE.parent))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
def apis(
    make_fresh_database: MakeDatabase, postgres_server: PostgresServer, tmp_path: Path, elsewhere: str
) -> Iterator[TwoApis]:
    with two_apis(make_fresh_database(), postgres_server, tmp_path, CORS_ORIGINS=elsewhere) as apis:
        yield apis


async def opened(browser: Browser, elsewhere: str, api_url: str, auction_id: UUID) -> Page:
    """The page of the auction, in a browser of its own."""
    page = await (await window(browser)).new_page()
    await page.goto(f"{elsewhere}/{PAGE.name}?api={api_url}&auction={auction_id}")
    return page


async def shown(page: Page) -> list[str]:
    """What the page says has happened, the first first."""
    lines = await page.get_by_role("listitem").evaluate_all(READ)
    return [str(line) for line in reversed(lines)]


async def test_a_page_sees_each_event_once_and_in_order_whatever_is_cut_and_killed(
    browser: Browser, elsewhere: str, apis: TwoApis
) -> None:
    auction = await apis.hammer.bid(await apis.hammer.opened())
    page = await opened(browser, elsewhere, apis.url, auction.id)
    told, events = page.get_by_role("status"), page.get_by_role("listitem")
    await expect(told).to_have_text("Live.")
    auction = await apis.hammer.bid(auction, 2)
    await expect(events).to_have_count(3)
    await expect(page.locator("#price")).to_have_text("$12.00")
    await expect(page.locator("#leader")).to_have_text("b****3")

    await told.evaluate(NOTE)
    apis.balancer.cut()
    await page.wait_for_function("text => said.includes(text)", arg=INTERRUPTED)
    auction = await apis.hammer.bid(auction, 5)
    await expect(events).to_have_count(8)

    passed = apis.balancer.passed
    assert apis.house.stop(FIRST, signal.SIGKILL) != 0
    auction = await apis.hammer.bid(auction, 2)
    await expect(events).to_have_count(10)
    assert apis.balancer.passed > passed

    auction = await apis.hammer.bid(auction)
    await apis.hammer.closed(auction)
    await expect(told).to_have_text("The auction is ended.")
    assert await shown(page) == ["2 state", *(f"{n} bid" for n in range(3, 13)), "13 ended"]
    await page.context.close()


async def test_a_process_that_ends_in_good_order_sends_its_watchers_elsewhere(
    browser: Browser, elsewhere: str, apis: TwoApis
) -> None:
    auction = await apis.hammer.opened()
    page = await opened(browser, elsewhere, apis.url, auction.id)
    await expect(page.get_by_role("status")).to_have_text("Live.")
    assert apis.house.stop(FIRST) == 0
    auction = await apis.hammer.bid(auction)
    await apis.hammer.closed(auction)
    await expect(page.get_by_role("status")).to_have_text("The auction is ended.")
    assert await shown(page) == ["1 state", "2 bid", "3 ended"]
    await page.context.close()


async def test_behind_the_end_a_browser_that_goes_on_asking_is_told_to_stop(
    browser: Browser, elsewhere: str, apis: TwoApis
) -> None:
    auction = await apis.hammer.closed(await apis.hammer.opened())
    page = await opened(browser, elsewhere, apis.url, auction.id)
    ended = await page.evaluate(
        """url => new Promise(done => {
             const source = new EventSource(url), seen = [];
             source.addEventListener("state", event => seen.push(event.lastEventId));
             source.addEventListener("error", () => source.readyState === EventSource.CLOSED && done(seen));
           })""",
        f"{apis.url}{live(auction.id)}",
    )
    assert ended == ["2"]
    await page.context.close()


async def test_a_page_of_an_auction_that_is_over_says_so_and_asks_no_more(
    browser: Browser, elsewhere: str, apis: TwoApis
) -> None:
    auction = await apis.hammer.closed(await apis.hammer.bid(await apis.hammer.opened()))
    page = await (await window(browser)).new_page()
    await page.add_init_script(
        "window.sources = []; const Source = EventSource;"
        "window.EventSource = class extends Source { constructor(url) { super(url); window.sources.push(this); } }"
    )
    await page.goto(f"{elsewhere}/{PAGE.name}?api={apis.url}&auction={auction.id}")
    await expect(page.get_by_role("status")).to_have_text("The auction is ended.")
    assert await page.evaluate("sources.map(source => source.readyState)") == [2], "it is closed, and is the only one"
    assert await shown(page) == ["3 state"]
    await page.context.close()


async def test_of_an_auction_that_is_not_there_the_page_says_that_there_is_nothing(
    browser: Browser, elsewhere: str, apis: TwoApis
) -> None:
    page = await opened(browser, elsewhere, apis.url, UUID(int=7))
    await expect(page.get_by_role("status")).to_have_text("Nothing to watch now. The page asks again in a moment.")
    await page.context.close()
