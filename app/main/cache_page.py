"""What stands behind the console's page of the cache."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.kernel.principal import TenantId
from app.main.house import House
from app.platform.cache.told import Told, told
from app.platform.cache.waiting import Waiting, WaitingNotes
from app.platform.console.cache import CacheView, cache
from app.platform.console.page import Page
from app.platform.http.client import ask
from app.platform.tenants import KnownTenants

SCRAPE_S: Final = 2.0
NOTES: Final = "cache_deletions"
ITSELF: Final = "This console itself"
_OURS: Final = ("strongbox_cache_", "strongbox_breaker_state")


def cache_page(house: House, api_urls: Sequence[str]) -> Page:
    """The page. At the URLs APIs serve, which tell of their caches; the console tells of its own."""
    registry, notes = house.platform.registry(), _notes(house)

    async def ask_all() -> Mapping[str, Told | None]:
        apis = zip(api_urls, await asyncio.gather(*map(_ask, api_urls)), strict=True)
        return {f"API {url}": each for url, each in apis} | {ITSELF: told(registry.collect())}

    async def waiting(tenants: Sequence[TenantId]) -> Waiting:
        found = await asyncio.gather(*(each.of(tenants) for each in notes))
        return Waiting(sum(each.notes for each in found), max((each.oldest_s for each in found), default=0.0))

    tenants, is_shared = KnownTenants(house.people), bool(house.settings.redis_url)
    view = CacheView(ask_all, waiting, tenants, house.platform.cache(), is_shared)
    return Page(partial(cache, view), "/cache", "Cache", place=45)


def _notes(house: House) -> Sequence[WaitingNotes]:
    """Where contexts note what the cache has to forget."""
    return [
        WaitingNotes(house.settings.home(context.name).url, granted.schema)
        for context in house.contexts
        if context.tables
        for granted in context.tables.grants
        if granted.name == NOTES
    ]


async def _ask(url: str) -> Told | None:
    try:
        answer = await ask("GET", f"{url.rstrip('/')}/metrics", SCRAPE_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    if not answer.is_success:
        return None
    lines = [line for line in answer.text.splitlines() if line.startswith(_OURS)]
    return told(text_string_to_metric_families("\n".join([*lines, ""])))
