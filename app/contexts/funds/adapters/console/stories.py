"""GET /transfers/{id} and /holds/{id}."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.funds.application.stories import TellStories
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of


def stories(tell: TellStories, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What happened to a transfer, and to a hold."""

    @get("/transfers/{transfer_id:str}")
    async def transfer(request: Request[Any, Any, Any], transfer_id: FromPath[str]) -> ASGIApp:
        story = await tell.of_transfer(uuid_of(transfer_id, "a transfer's id"))
        return desk.pages.page("transfer.html", visit_of(request), story=story, transfer=story.transfer)

    @get("/holds/{hold_id:str}")
    async def hold(request: Request[Any, Any, Any], hold_id: FromPath[str]) -> ASGIApp:
        story = await tell.of_hold(uuid_of(hold_id, "a hold's id"))
        return desk.pages.page("hold.html", visit_of(request), story=story, booked=story.booked, hold=story.booked.hold)

    return [transfer, hold]
