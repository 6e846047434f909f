"""A console over services that are made up, where the real ones would take long or cannot be had."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx

from app.platform.console.asgi import Console
from app.platform.console.page import Page
from app.platform.console.services import ConsoleOptions, ConsoleServices

KEY = "a-key-of-16-or-more"
ORIGIN = "http://console.test"


class Nothing:
    """Stands for what a test does not use: whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@asynccontextmanager
async def nothing_to_open() -> AsyncIterator[None]:
    yield


nothing: Any = Nothing()
SERVICES = ConsoleServices(
    look=nothing, queues=["audit.queue"], letters=None, replay=None, log=nothing, record_of=lambda _: nothing,
    lifespan=nothing_to_open,
)  # fmt: skip


@asynccontextmanager
async def browsing(*pages: Page, **services: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client that nobody has logged in, before the shell and the pages."""
    console: Any = Console(replace(SERVICES, **services), ConsoleOptions({"alice": KEY}), pages)
    transport = httpx.ASGITransport(app=console)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client


async def log_in(client: httpx.AsyncClient) -> str:
    """Log in; the token of the session's forms."""
    assert (await client.post("/login", data={"key": KEY, "next": "/"})).status_code == 303
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/job")).text)
    assert found
    return found[1]
