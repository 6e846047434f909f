"""GET /wallets, /wallets/{user_id} and /wallets/{user_id}/holds."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.funds.application.read_holds import HoldPage, HoldReader, read_holds
from app.contexts.funds.application.read_transactions import read_transactions
from app.contexts.funds.application.reconcile import Standing, Standings
from app.contexts.funds.application.wallet_reader import WalletReader
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50
NEWEST: Final = 10
"""Holds that stand on a wallet's own page."""


def wallets(reader: WalletReader, holds: HoldReader, reconciled: Standings, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Users' wallets."""

    @get("/wallets")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("wallets.html", visit_of(request))

    @get("/wallets/{user_id:str}")
    async def one(request: Request[Any, Any, Any], user_id: FromPath[str]) -> ASGIApp:
        user = UserId(uuid_of(user_id, "a user's id"))
        after = queries.from_cursor(user, queries.parameters(request.scope["query_string"], frozenset(("cursor",))))
        page = await read_transactions(reader, user, None, after, PAGE)
        standings: Sequence[Standing] = ()
        trouble = None
        try:
            if after is None:  # all entries are added up for it: not for every page
                standings = await reconciled.standings(user)
        except Unavailable as error:  # too many entries, perhaps: the transactions are there all the same
            trouble = str(error)
        newest = HoldPage((), None) if after else await read_holds(holds, user, None, NEWEST)
        older = queries.to_cursor(user, page.next) if page.next else None
        return desk.pages.page(
            "wallet.html", visit_of(request), user_id=user, standings=standings, lines=page.lines, older=older,
            first=after is None, trouble=trouble, holds=newest,
        )  # fmt: skip

    @get("/wallets/{user_id:str}/holds")
    async def set_aside(request: Request[Any, Any, Any], user_id: FromPath[str]) -> ASGIApp:
        user = UserId(uuid_of(user_id, "a user's id"))
        after = queries.from_cursor(user, queries.parameters(request.scope["query_string"], frozenset(("cursor",))))
        page = await read_holds(holds, user, after, PAGE)
        older = queries.to_cursor(user, page.next) if page.next else None
        return desk.pages.page(
            "holds.html", visit_of(request), user_id=user, holds=page, older=older, first=after is None
        )

    return [ask, one, set_aside]
