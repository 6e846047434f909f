"""GET /auctions/{tenant}/{auction_id}, and what keeps it up to date."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.auctions.application.browse import Listings
from app.contexts.auctions.application.tell_auction import AuctionUnknown
from app.contexts.auctions.domain.ids import AuctionId
from app.platform.console.desk import Desk
from app.platform.console.visit import uuid_of, visit_of
from app.platform.tenants import KnownTenants

BIDS: Final = 20
"""The newest, which the page has."""


def auction(listings: Listings, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """An auction as it stands, and what was bid last: of maxima and of who bids no more than anybody is shown."""

    async def page(template: str, request: Request[Any, Any, Any], tenant: str, auction_id: str) -> ASGIApp:
        house, wanted = await tenants.called(tenant), AuctionId(uuid_of(auction_id, "an auction's id"))
        seen = await listings.one(house.tenant_id, wanted)
        if seen is None:
            raise AuctionUnknown(f"there is no auction {wanted}")
        bids = await listings.bids(house.tenant_id, wanted, None, BIDS)
        return desk.pages.page(
            template, visit_of(request), auction=seen.auction, now=seen.at, bids=bids, most=BIDS, tenant=house
        )

    @get("/auctions/{tenant:str}/{auction_id:str}")
    async def whole(request: Request[Any, Any, Any], tenant: FromPath[str], auction_id: FromPath[str]) -> ASGIApp:
        return await page("auction.html", request, tenant, auction_id)

    @get("/live/auctions/{tenant:str}/{auction_id:str}")
    async def part(request: Request[Any, Any, Any], tenant: FromPath[str], auction_id: FromPath[str]) -> ASGIApp:
        return await page("_auction.html", request, tenant, auction_id)

    return [whole, part]
