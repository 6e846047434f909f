"""What auctions bring to the console: those of tenants, one as it stands, and what happened to it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from litestar.handlers import HTTPRouteHandler

from app.contexts.auctions.adapters.console.auction import auction
from app.contexts.auctions.adapters.console.auctions import auctions
from app.contexts.auctions.adapters.console.story import story
from app.contexts.auctions.application.browse import Listings
from app.contexts.auctions.application.tell_auction import AuctionUnknown, TellAuction
from app.contexts.auctions.domain.ids import AuctionId
from app.platform.console.desk import Desk
from app.platform.console.page import Page
from app.platform.tenants import KnownTenants, TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")


def pages(listings: Listings, tenants: KnownTenants, tell: TellAuction) -> Sequence[Page]:
    """The pages."""

    def shown(desk: Desk) -> Sequence[HTTPRouteHandler]:
        return [
            *auctions(listings, tenants, desk),
            *auction(listings, tenants, desk),
            *story(tenants, tell, desk),
        ]

    known = partial(page_of_an_auction, listings, tenants)
    return (Page(shown, "/auctions", "Auctions", 27, TEMPLATES, (AuctionUnknown, TenantUnknown), known),)


async def page_of_an_auction(listings: Listings, tenants: KnownTenants, wanted: UUID) -> str | None:
    """The path of the page of the auction with that id, if some tenant has one. Raises Unavailable."""
    for house in await tenants.all():
        if await listings.one(house.tenant_id, AuctionId(wanted)):
            return f"/auctions/{house.name}/{wanted}/story"
    return None
