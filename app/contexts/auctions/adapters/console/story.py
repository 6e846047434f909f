"""GET /auctions/{tenant}/{auction_id}/story."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.auctions.application.tell_auction import TellAuction
from app.contexts.auctions.domain.ids import AuctionId
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.tenants import KnownTenants


def story(tenants: KnownTenants, tell: TellAuction, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What happened to an auction: who bid, whose money is set aside, and what came of it."""

    @get("/auctions/{tenant:str}/{auction_id:str}/story")
    async def one(request: Request[Any, Any, Any], tenant: FromPath[str], auction_id: FromPath[str]) -> ASGIApp:
        house, wanted = await tenants.called(tenant), AuctionId(uuid_of(auction_id, "an auction's id"))
        told = await tell(house.tenant_id, wanted)
        return desk.pages.page("auction_story.html", visit_of(request), story=told, auction=told.auction, tenant=house)

    return [one]
