"""GET /cache, what keeps it up to date, and having something forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.cache.operating import Forgotten, forget, is_pattern
from app.platform.cache.ports import OF_NOBODY, Cache
from app.platform.cache.told import History, Told, share
from app.platform.cache.waiting import Waiting
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected, out_of_reach
from app.platform.console.pages import redirect
from app.platform.console.visit import Visit, one_of, visit_of
from app.platform.http import queries
from app.platform.http.replies import Reply
from app.platform.tenants import KnownTenants

LONGEST: Final = 256
"""Characters of a key, or of a pattern."""
NOBODYS: Final = "nobody's"
"""What no tenant has: wallets of users whom nobody here knows."""
NO_REDIS: Final = "nothing can be forgotten from here: REDIS_URL is not set"


@dataclass(frozen=True, slots=True)
class CacheView:
    """What the page is about. `ask` has each process say what it counts, by its name: None where it does not.

    Without a Redis that the console knows of `is_shared` is False, and nothing can be forgotten from here.
    """

    ask: Callable[[], Awaitable[Mapping[str, Told | None]]]
    waiting: Callable[[Sequence[TenantId]], Awaitable[Waiting]]
    tenants: KnownTenants
    cache: Cache
    is_shared: bool

    async def houses(self) -> Mapping[str, TenantId]:
        """All tenants by name, and nobody.

        Raises:
            Unavailable: who knows the tenants is out of reach.
        """
        return {house.name: house.tenant_id for house in await self.tenants.all()} | {NOBODYS: OF_NOBODY}


@dataclass(slots=True)
class Sight:
    """What was seen last. `trouble` says why it is not known what waits."""

    told: Mapping[str, Told | None] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    waiting: Waiting | None = None
    trouble: str | None = None
    forgotten: Forgotten | None = None

    async def look(self, view: CacheView) -> None:
        """Ask all of them, and look at what waits."""
        self.told, _ = await asyncio.gather(view.ask(), self._look_at_notes(view))
        now_s = asyncio.get_running_loop().time()
        for who, told in self.told.items():
            if told is not None:
                self.histories.setdefault(who, History()).add(now_s, told)

    async def _look_at_notes(self, view: CacheView) -> None:
        try:
            self.waiting, self.trouble = await view.waiting([*(await view.houses()).values()]), None
        except Unavailable as error:
            self.waiting, self.trouble = None, out_of_reach(error)

    @property
    def without(self) -> Sequence[str]:
        """Those who do without, or of whom it is not known."""
        return [who for who, told in self.told.items() if told is None or not told.is_well]


def cache(view: CacheView, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """How the cache does, and having it forget."""
    sight = Sight()
    desk.watch.add(partial(sight.look, view), costly=True)
    return [*_looking(view, sight, desk), *_forgetting(view, sight, desk)]


def _looking(view: CacheView, sight: Sight, desk: Desk) -> Sequence[HTTPRouteHandler]:
    async def page(template: str, visit: Visit, **more: Any) -> Reply:
        seen = await desk.watch.seen()
        parts = {name: seen.parts[name] for name in ("redis", "cache") if name in seen.parts}
        return desk.pages.page(
            template, visit, seen=seen, parts=parts, sight=sight, is_shared=view.is_shared, share=share, **more
        )

    @get("/cache")
    async def whole(request: Request[Any, Any, Any]) -> ASGIApp:
        tenants: Sequence[str] = ()
        with suppress(Unavailable):  # the page says that it is
            tenants = [*await view.houses()]
        return await page("cache.html", visit_of(request), tenants=tenants, longest=LONGEST)

    @get("/live/cache")
    async def part(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page("_cache.html", visit_of(request))

    return [whole, part]


def _forgetting(view: CacheView, sight: Sight, desk: Desk) -> Sequence[HTTPRouteHandler]:
    async def wanted(given: Mapping[str, str]) -> tuple[tuple[str, TenantId], str]:
        if not view.is_shared:
            raise Rejected(404, NO_REDIS)
        text, houses = given.get("key", "").strip(), await view.houses()
        if not (1 <= len(text) <= LONGEST and text.isprintable()):
            raise Rejected(400, f"a key, or a pattern, has 1 to {LONGEST} printable characters")
        name = one_of(given.get("tenant", ""), "the tenant", [*houses])
        return (name, houses[name]), text

    @get("/cache/forget")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("tenant", "key")))
        (name, _), text = await wanted(given)
        return desk.pages.page("forget.html", visit_of(request), tenant=name, key=text, all_that_match=is_pattern(text))

    @post("/cache/forget")
    async def do(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        tenant, text = await wanted({name: visit.value(name) for name in ("tenant", "key")})
        record = desk.services.record_of(visit.operator)
        sight.forgotten = await forget(view.cache, record, visit.operator, tenant, text)
        desk.watch.changed()
        return redirect("/cache")

    return [ask, do]
