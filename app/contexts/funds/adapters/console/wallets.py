"""GET /wallets and /wallets/{user_id}."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.adapters.console.desk import Desk
from app.adapters.console.visit import uuid_of, visit_of
from app.adapters.http import queries
from app.application.ports import Unavailable
from app.application.wallets.read_transactions import read_transactions
from app.application.wallets.standing import Standing
from app.domain.ids import UserId

PAGE: Final = 50


def wallets(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Users' wallets."""
    services = desk.services

    @get("/wallets")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("wallets.html", visit_of(request))

    @get("/wallets/{user_id:str}")
    async def one(request: Request[Any, Any, Any], user_id: FromPath[str]) -> ASGIApp:
        user = UserId(uuid_of(user_id, "a user's id"))
        after = queries.from_cursor(user, queries.parameters(request.scope["query_string"], frozenset(("cursor",))))
        page = await read_transactions(services.reader, user, None, after, PAGE)
        standings: Sequence[Standing] = ()
        trouble = None
        try:
            if after is None:  # all entries are added up for it: not for every page
                standings = await services.standings.standings(user)
        except Unavailable as error:  # too many entries, perhaps: the transactions are there all the same
            trouble = str(error)
        older = queries.to_cursor(user, page.next) if page.next else None
        return desk.pages.page(
            "wallet.html", visit_of(request), user_id=user, standings=standings, lines=page.lines, older=older,
            first=after is None, trouble=trouble,
        )  # fmt: skip

    return [ask, one]
