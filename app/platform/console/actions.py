"""GET /actions."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.visit import integer_of, visit_of
from app.platform.http import queries

PAGE: Final = 50


def actions(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What operators did."""

    @get("/actions")
    async def newest(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("before",)))
        before = integer_of(given["before"], "before", 1, 2**63 - 1) if "before" in given else None
        found = await desk.services.log.newest(before, PAGE + 1)
        page = found[:PAGE]
        older = page[-1].number if len(found) > PAGE else None
        return desk.pages.page("actions.html", visit_of(request), actions=page, older=older, first=before is None)

    return [newest]
