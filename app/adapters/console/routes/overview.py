"""GET / and what keeps it up to date."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.adapters.console.chart import chart
from app.adapters.console.desk import Desk
from app.adapters.console.visit import Visit, visit_of
from app.adapters.http.replies import Reply
from app.application.status.pulse import Result


def overview(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What is happening now."""

    async def page(template: str, visit: Visit) -> Reply:
        seen = await desk.watch.seen()
        totals = seen.history.totals()
        results = [(result, totals[result]) for result in Result]
        return desk.pages.page(template, visit, seen=seen, results=results, chart=chart(seen.history))

    @get("/")
    async def whole(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page("overview.html", visit_of(request))

    @get("/live/overview")
    async def part(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page("_overview.html", visit_of(request))

    return [whole, part]
