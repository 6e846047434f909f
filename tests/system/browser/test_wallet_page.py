"""The page of the documentation that signs in with a wallet, in Chromium, with a wallet whose key is in the page."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.conftest import MakeDatabase
from tests.identity.wallets import Wallet
from tests.system.browser.consoles import window
from tests.system.documents import ROOT
from tests.system.e2e.house import House

PAGE = ROOT / "docs/how-to/wallet-page.html"
WALLET_JS = Path(__file__).with_name("wallet.js")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Tell nobody."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another site, which serves the page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(PAGE.parent))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"localhost:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def api(make_fresh_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory, elsewhere: str) -> Iterator[House]:
    """An API that lets people in, at its own host and from the pages of the other site."""
    house = House(make_fresh_database(), "", tmp_path_factory.mktemp("house"), CONTEXTS="identity")
    own = f"127.0.0.1:{house.ports['HTTP_PORT']}"
    house.environment |= {"SIWE_DOMAINS": f"{own},{elsewhere}", "CORS_ORIGINS": f"http://{elsewhere}"}
    house.start("api", "app", "api", expect=lambda: _serves(house.api_url))
    yield house
    assert house.stop("api") == 0


def _serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.HTTPError:
        return False


async def opened(browser: Browser, wallet: Wallet | None, url: str, api: House) -> Page:
    """The page at that URL, in a browser of its own, with the wallet in it."""
    context = await window(browser)
    page = await context.new_page()
    if wallet is not None:
        await page.add_init_script(WALLET_JS.read_text() + f'\ninstall("{wallet.key}");')
    own = f"{api.api_url}/wallet-page.html"
    await page.route(own, lambda route: route.fulfill(body=PAGE.read_text(), content_type="text/html"))
    await page.goto(url)
    return page


async def test_whoever_has_a_wallet_signs_in_at_the_apis_own_site_and_is_known_by_the_cookie(
    browser: Browser, api: House
) -> None:
    wallet = Wallet(0xA11CE)
    page = await opened(browser, wallet, f"{api.api_url}/wallet-page.html", api)
    asked: list[dict[str, str]] = []
    page.on("request", lambda request: asked.append(request.headers) if request.url.endswith("/v1/auth/me") else None)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {wallet.address}.")
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert set(cookies) == {"__Host-strongbox_session", "__Secure-strongbox_refresh"}
    assert all(cookie["httpOnly"] and cookie["secure"] for cookie in cookies.values())
    assert [headers.get("authorization") for headers in asked] == [None]
    await page.context.close()


async def test_whoever_has_a_wallet_signs_in_at_a_listed_site_and_shows_the_token(
    browser: Browser, api: House, elsewhere: str
) -> None:
    wallet = Wallet(0xB0B)
    page = await opened(browser, wallet, f"http://{elsewhere}/wallet-page.html?api={api.api_url}", api)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text(f"Signed in as {wallet.address}.")
    assert await page.context.cookies() == []
    await page.context.close()


async def test_a_site_that_is_not_listed_lets_nobody_in(browser: Browser, api: House, elsewhere: str) -> None:
    unlisted = elsewhere.replace("localhost", "127.0.0.1")  # the same server, which is another site to a browser
    page = await opened(browser, Wallet(0xE5E), f"http://{unlisted}/wallet-page.html?api={api.api_url}", api)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("Not signed in: Failed to fetch.")
    await page.context.close()


async def test_without_a_wallet_the_page_says_so(browser: Browser, api: House) -> None:
    page = await opened(browser, None, f"{api.api_url}/wallet-page.html", api)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("Not signed in: this browser has no wallet.")
    await page.context.close()
