"""What an operator sees of the cache, and has it forget, in Chromium: beside an API and a console that have a Redis."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.async_api import Browser, expect

from app.main.local.redis import RedisServer
from app.platform.process.processes import free_port
from tests.system.browser.consoles import PHONE, Console, Screen, screen
from tests.system.browser.test_pages_for_everybody import BROKEN, FAULTS
from tests.system.e2e.house import House, body

API = "an API with a cache"


@dataclass(frozen=True)
class Cached:
    """The house once more, with a Redis."""

    redis: RedisServer
    api_url: str
    console: Console

    def read(self) -> None:
        """Have the API look for something."""
        for _ in range(5):
            body(httpx.get(f"{self.api_url}/v1/categories"), 200)


@pytest.fixture(scope="module")
def cached(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cached]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    settings = {"REDIS_URL": redis.url, "HTTP_PORT": str(free_port())}
    url, before = f"http://127.0.0.1:{settings['HTTP_PORT']}", house.environment
    house.environment = before | settings
    try:
        house.start(API, "app", "api", expect=lambda: _serves(url))
    finally:
        house.environment = before
    console = Console(house, "a console with a cache", **settings)
    console.start()
    yield Cached(redis, url, console)
    console.stop()
    assert house.stop(API) == 0
    redis.stop()


def _serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
async def desk(browser: Browser, cached: Cached) -> AsyncIterator[Screen]:
    """A screen that shows the page of the cache."""
    desk = await screen(browser, cached.console, viewport={"width": 1280, "height": 800})
    await desk.log_in()
    await desk.page.get_by_role("link", name="Cache", exact=True).click()
    yield desk
    await desk.context.close()
    assert desk.wrong == []


async def test_each_process_says_what_it_found_and_what_all_share_stands_once(desk: Screen, cached: Cached) -> None:
    cached.read()
    said, page = desk.page.locator("[data-say]"), desk.page
    await expect(said).to_have_text("Redis answers, and all processes that are asked use it")
    of_the_api = page.get_by_role("region", name=f"API {cached.api_url}")
    await expect(of_the_api.get_by_role("row").filter(has_text="categories")).to_contain_text("%")
    await expect(of_the_api.locator(".facts")).to_contain_text("hears what is deleted")
    await expect(page.get_by_role("region", name="This console itself")).to_contain_text("asked")
    await expect(page.get_by_role("region", name="To be forgotten")).to_contain_text("confirmed everything")
    await expect(page.get_by_role("region", name="Redis, which all share").get_by_role("row")).to_have_count(3)


async def test_what_somebody_has_forgotten_is_asked_first_and_recorded(desk: Screen, cached: Cached) -> None:
    cached.read()
    page = desk.page
    await page.get_by_label("Key, or pattern with *").fill("categories:*")
    await page.get_by_label("Of the tenant").select_option("default")
    await page.get_by_role("button", name="Forget …").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Have the cache forget this?")
    before = cached.console.actions("cache forget")
    await page.get_by_role("button", name="Forget it").click()
    await expect(page).to_have_url(f"{cached.console.url}/cache")
    await expect(page.get_by_role("region", name="Have it forget")).to_contain_text(
        "alice had categories:* of default forgotten"
    )
    (began, ended) = cached.console.actions("cache forget")[len(before) :]
    assert (began["operator"], began["patterns"], began["tenant"]) == ("alice", ["categories:*"], "default")
    assert (ended["phase"], ended["deleted"]) == ("ended", 1)


async def test_it_fits_a_phone_and_can_be_read(browser: Browser, cached: Cached) -> None:
    cached.read()
    for scheme in ("light", "dark"):
        window = await screen(browser, cached.console, viewport=PHONE, color_scheme=scheme)
        await window.log_in()
        for path in ("/cache", "/cache/forget?tenant=default&key=product%3A*"):
            await window.page.goto(path)
            assert await window.page.evaluate(FAULTS) == [], (path, scheme)
            await window.page.set_viewport_size({"width": 1280, "height": 800})
            assert await window.page.evaluate(BROKEN) == [], path
            await window.page.set_viewport_size(PHONE)
        await window.context.close()
        assert window.wrong == []


async def test_that_redis_has_died_is_said_and_that_it_is_back(desk: Screen, cached: Cached) -> None:
    said = desk.page.locator("[data-say]")
    await expect(said).to_contain_text("Redis answers")
    cached.redis.kill()
    await expect(said).to_have_text("Redis does not answer: all is read from the database")
    cached.read()
    of_the_api = desk.page.get_by_role("region", name=f"API {cached.api_url}")
    await expect(of_the_api.locator(".facts")).to_contain_text("left alone, and tried")
    cached.redis.start()
    await expect(said).to_have_text("Redis answers, and all processes that are asked use it")


async def test_without_a_redis_it_is_said_that_nothing_is_shared(browser: Browser, console: Console) -> None:
    window = await screen(browser, console, viewport={"width": 1280, "height": 800})
    await window.log_in()
    await window.page.goto("/cache")
    await expect(window.page.locator("[data-say]")).to_have_text("The console knows of no Redis: nothing is shared")
    await expect(window.page.get_by_label("Key, or pattern with *")).to_have_count(0)
    await window.context.close()
    assert window.wrong == []
