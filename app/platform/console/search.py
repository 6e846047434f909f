"""GET /search."""

import asyncio
import re
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.page import Page
from app.platform.console.pages import redirect
from app.platform.console.visit import uuid_of
from app.platform.http import queries

_HEX: Final = re.compile("0x(?:[0-9a-f]{40}|[0-9a-f]{64})")
"""An address, or the hash of a transaction."""


def search(brought: Sequence[Page], _: Desk) -> Sequence[HTTPRouteHandler]:
    """Whose id it is: all who know something by ids are asked at once, and the first of them who does leads on. So it
    goes by addresses and hashes."""

    @get("/search")
    async def find(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("id",)))
        text = given.get("id", "").strip()
        if _HEX.fullmatch(text.lower()):
            wanted = text.lower()
            return await _found([page.knows_hex(wanted) for page in brought if page.knows_hex], text)
        id_ = uuid_of(text, "what is looked for")
        return await _found([page.knows(id_) for page in brought if page.knows], str(id_))

    return [find]


async def _found(asked: Sequence[Awaitable[str | None]], wanted: str) -> ASGIApp:
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, str):
            return redirect(answer)
    for answer in answers:
        if isinstance(answer, BaseException):  # it may be theirs who could not be asked
            raise answer
    raise Rejected(404, f"there is nothing with the id {wanted}")
