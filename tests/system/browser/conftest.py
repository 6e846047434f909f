"""One house, one console and one browser for all of these tests: each takes seconds to start."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.conftest import MakeDatabase
from tests.system.browser.consoles import LIMIT_MS, Console, Screen, launched, screen
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import House, running
from tests.system.e2e.whole import WholeHouse


@pytest.fixture(scope="package")
def house(
    make_fresh_database: MakeDatabase, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Every process of Strongbox."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    folder = tmp_path_factory.mktemp("house")
    with running(WholeHouse(make_fresh_database(), rabbitmq_url, folder)) as house:
        yield house


@pytest.fixture(scope="package")
def console(house: House) -> Iterator[Console]:
    """The console of the house, which ends in good order."""
    console = Console(house)
    console.start()
    yield console
    console.stop()
    unexpected = [line for line in console.log.splitlines() if "unexpected_error" in line]
    assert not unexpected, unexpected


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        expect.set_options(timeout=LIMIT_MS)
        yield browser
        await browser.close()


@pytest.fixture
async def desk(browser: Browser, console: Console) -> AsyncIterator[Screen]:
    """A desk's screen, logged in, in which nothing goes wrong."""
    desk = await screen(browser, console, viewport={"width": 1280, "height": 800})
    secret = console.visitor().client.cookies["strongbox"]
    await desk.context.add_cookies([{"name": "strongbox", "value": secret, "url": console.url}])
    await desk.page.goto("/")
    yield desk
    await desk.context.close()
    assert desk.wrong == []
