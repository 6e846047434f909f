"""A console process over a house, the keys to it, and a browser to look at it with."""

import re
import shutil
import signal
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright

from app.platform.process.processes import free_port
from tests.system.e2e.house import House
from tests.system.e2e.whole import PARTS

ALICE = "alice-s-key-0123456789"
BOB = "bob-s-key-0123456789"
KEYS = f"alice:{ALICE},bob:{BOB}"
BROWSERS = ("chromium", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
NO_BROWSER = "these tests need Chromium: install it (Debian: apt-get install chromium), or Google Chrome"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LIMIT_MS = 180_000
"""What pages need though both processors are busy. The parts are looked at every ten seconds, and one of them that does
not answer within two is down: on a busy machine several looks in a row may be in vain."""
ALL_OK = f"All {PARTS} parts are ok"
PHONE: Any = {"width": 390, "height": 844}
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


async def launched(playwright: Playwright) -> Browser:
    """The browser of this machine."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(NO_BROWSER)
    return await playwright.chromium.launch(executable_path=found, args=FLAGS, timeout=LIMIT_MS)


class Console:
    """A process of `strongbox console` over the house, by another name and with other settings if need be."""

    def __init__(self, house: House, name: str = "console", **settings: str) -> None:
        self.house = house
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.origin = settings.get("CONSOLE_URL", self.url)
        self._settings = {"CONSOLE_KEYS": KEYS, "CONSOLE_PORT": str(self.port), **settings}
        self._clients: list[httpx.Client] = []

    def start(self) -> None:
        before = self.house.environment
        self.house.environment = before | self._settings
        try:
            self.house.start(self.name, "app", "console", expect=self._serves)
        finally:
            self.house.environment = before

    def _serves(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        assert self.house.stop(self.name, signal.SIGTERM) == 0

    @property
    def log(self) -> str:
        return self.house.log(self.name)

    def visitor(self, key: str | None = ALICE) -> "Visitor":
        """A client without a browser, logged in."""
        client = httpx.Client(base_url=self.url, timeout=LIMIT_MS / 1_000)
        self._clients.append(client)
        visitor = Visitor(client, self.origin)
        if key is not None:
            answer = visitor.post("/login", key=key, next="/")
            assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
        return visitor

    def actions(self, name: str) -> list[dict[str, Any]]:
        """What was recorded of actions of that name, each with its operator, the oldest first."""
        rows = self.house.query("SELECT operator, details FROM audit.actions WHERE action = %s ORDER BY id", name)
        return [{"operator": operator, **details} for operator, details in rows]


@dataclass
class Visitor:
    """Sends what a browser would, or would not."""

    client: httpx.Client
    origin: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def post(self, path: str, origin: str | None = "", **fields: Any) -> httpx.Response:
        """A form with the fields, as they are; from the console's own origin unless another is given."""
        headers = {} if origin is None else {"Origin": origin or self.origin}
        return self.client.post(path, data={"sent": "yes", **fields}, headers=headers)

    @property
    def token(self) -> str:
        """The token of this session's forms."""
        found = _TOKEN.search(self.get("/wallets").text)
        assert found
        return found[1]


@dataclass
class Screen:
    """A page of a browser, and what went wrong in it."""

    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    async def log_in(self, key: str = ALICE) -> None:
        await self.page.goto("/login")
        await self.page.get_by_label("Your operator key").fill(key)
        await self.page.get_by_role("button", name="Log in").click()
        await self.page.wait_for_url("**/")


async def window(browser: Browser, **options: Any) -> BrowserContext:
    """A window of a browser that knows nothing yet, and has patience."""
    context = await browser.new_context(**options)
    context.set_default_timeout(LIMIT_MS)
    return context


async def screen(browser: Browser, console: Console, **options: Any) -> Screen:
    """A window for the console."""
    context = await window(browser, base_url=console.url, **options)
    opened = Screen(context, await context.new_page())
    # Chromium says there what a policy forbids, and what a page could not load.
    opened.page.on("console", lambda m: opened.wrong.append(m.text) if m.type in ("error", "warning") else None)
    opened.page.on("pageerror", lambda error: opened.wrong.append(str(error)))
    return opened
