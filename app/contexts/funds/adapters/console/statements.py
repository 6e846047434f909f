"""GET /wallets/{user_id}/statement: a wallet's balance between two times, and what moved it."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.funds.adapters.console.balance_chart import chart_of, times_of
from app.contexts.funds.application.past import LookBack, Question, stood_at
from app.contexts.funds.application.read_balance import read_balance
from app.contexts.funds.application.statement import OpenStatement, StatementLine, Statements
from app.contexts.funds.application.wallet_reader import WalletReader
from app.contexts.funds.domain.refusals import TimeToCome
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.visit import one_of, time_of, uuid_of, visit_of
from app.platform.http import queries

MOST_SHOWN: Final = 200
USUAL: Final = timedelta(days=30)
WITHIN_S: Final = 5.0
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


def statements(reader: WalletReader, look_back: LookBack, made: Statements, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Statements of users' wallets."""

    async def open_(user: UserId, currency: Currency, since: datetime, until: datetime) -> tuple[OpenStatement, Any]:
        by = asyncio.get_running_loop().time() + WITHIN_S
        try:
            statement = await made.open(user, currency, since, until, by)
            stood = await stood_at(look_back, Question(user, currency, times_of(since, until)), by)
        except TimeToCome:
            raise Rejected(400, "to must not be a time to come") from None
        return statement, chart_of([one.balance_minor for one in stood])

    @get("/wallets/{user_id:str}/statement")
    async def statement(request: Request[Any, Any, Any], user_id: FromPath[str]) -> ASGIApp:
        user = UserId(uuid_of(user_id, "a user's id"))
        given = queries.parameters(request.scope["query_string"], frozenset(("currency", "from", "to")))
        known = [balance.currency for balance in await read_balance(reader, user, None)]
        currency = Currency(one_of(given.get("currency") or known[0], "currency", known))
        until = time_of(given["to"], "to") if given.get("to") else datetime.now(UTC).replace(microsecond=0)
        since = time_of(given["from"], "from") if given.get("from") else until - min(USUAL, until - _BEFORE_ALL)
        if since > until:
            raise Rejected(400, "from must not be later than to")
        opened, chart = await open_(user, currency, since, until)
        lines = await _first_lines(made, opened)
        if not given.get("from") and lines and opened.first_version == 0:
            # The wallet is younger than that, and its line would be a corner.
            opened, chart = await open_(user, currency, lines[0].created_at.replace(microsecond=0), until)
        return desk.pages.page(
            "statement.html", visit_of(request), user_id=user, known=known, statement=opened, chart=chart,
            lines=lines, count=opened.last_version - opened.first_version,
        )  # fmt: skip

    return [statement]


async def _first_lines(made: Statements, opened: OpenStatement) -> Sequence[StatementLine]:
    async with aclosing(made.pages(opened)) as pages:
        async for page in pages:
            return page[:MOST_SHOWN]
    return ()
