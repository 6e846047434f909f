"""GET /auctions/{tenant}/{auction_id}, and what keeps it up to date."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.auctions.application.read_auctions import ReadAuctions
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.tenants import KnownTenants

BIDS: Final = 20
"""The newest, which the page has."""


def auction(read: ReadAuctions, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """An auction as it stands, and what was bid last: of maxima and of who bids no more than anybody is shown."""

    async def page(template: str, request: Request[Any, Any, Any], tenant: str, auction_id: str) -> ASGIApp:
        house, wanted = await tenants.called(tenant), AuctionId(uuid_of(auction_id, "an auction's id"))
        seen = await read.one(house.tenant_id, wanted)
        bids = await read.bids(house.tenant_id, wanted, None, BIDS)
        return desk.pages.page(
            template, visit_of(request), auction=seen.auction, now=seen.at, bids=bids.bids, more=bids.next, tenant=house
        )

    @get("/auctions/{tenant:str}/{auction_id:str}")
    async def whole(request: Request[Any, Any, Any], tenant: FromPath[str], auction_id: FromPath[str]) -> ASGIApp:
        return await page("auction.html", request, tenant, auction_id)

    @get("/live/auctions/{tenant:str}/{auction_id:str}")
    async def part(request: Request[Any, Any, Any], tenant: FromPath[str], auction_id: FromPath[str]) -> ASGIApp:
        return await page("_auction.html", request, tenant, auction_id)

    return [whole, part]


async def page_of_an_auction(read: ReadAuctions, tenants: KnownTenants, wanted: UUID) -> str | None:
    """The path of the page of the auction with that id, if some tenant has one. Raises Unavailable."""
    for house in await tenants.all():
        try:
            await read.one(house.tenant_id, AuctionId(wanted))
        except AuctionNotFound:
            continue
        return f"/auctions/{house.name}/{wanted}"
    return None
