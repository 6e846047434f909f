"""What API processes say of their way to the gateway, in their metrics."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from app.platform.http.client import ask

SCRAPE_S: Final = 2.0

_GAUGE = re.compile(r"^strongbox_gateway_(breaker_state|slots_in_use)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_STATES = {0: "closed", 1: "half-open", 2: "open"}


@dataclass(frozen=True, slots=True)
class Breaker:
    """What an API process says of its breaker and its bulkhead; None where it does not say."""

    api: str
    state: str | None
    slots_in_use: int | None


async def breakers(api_urls: Sequence[str]) -> Sequence[Breaker]:
    """What each API says, all asked at once."""
    return await asyncio.gather(*map(_breaker, api_urls))


async def _breaker(url: str) -> Breaker:
    try:
        answer = await ask("GET", f"{url.rstrip('/')}/metrics", SCRAPE_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Breaker(url, None, None)
    told: Mapping[str, str] = dict(_GAUGE.findall(answer.text)) if answer.is_success else {}
    state, slots = told.get("breaker_state"), told.get("slots_in_use")
    return Breaker(url, _STATES.get(int(float(state))) if state else None, int(float(slots)) if slots else None)
