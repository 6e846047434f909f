"""GET /auctions."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.contexts.auctions.application.browse import Filters, Listings, Place, Sort, Wanted
from app.contexts.auctions.application.read_auctions import page_of
from app.contexts.auctions.domain.auction import Status
from app.contexts.auctions.domain.ids import AuctionId
from app.kernel.ids import UserId
from app.platform.console.desk import Desk
from app.platform.console.visit import time_of, uuid_of, visit_of
from app.platform.http import queries
from app.platform.http.errors import validation
from app.platform.tenants import KnownTenants

PAGE: Final = 50
DEFAULT: Final = "default"
"""The tenant that there always is."""
_LIST: Final = frozenset(("tenant", "seller", "status", "before"))


def auctions(listings: Listings, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Auctions of a tenant, or of one of its sellers, the newest first."""

    @get("/auctions")
    async def newest(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        tenant = await tenants.called(given.get("tenant") or DEFAULT)
        seller = UserId(uuid_of(given["seller"], "a seller's id")) if given.get("seller") else None
        status = _status(given["status"]) if given.get("status") else None
        before = _place(given["before"]) if given.get("before") else None
        wanted = Wanted(filters=Filters(status, seller), sort=Sort.NEWEST, after=before, limit=PAGE)
        page = page_of(await listings.page(tenant.tenant_id, wanted), wanted)
        older = f"{page.next.at.isoformat()}_{page.next.id}" if page.next else None
        return desk.pages.page(
            "auctions.html", visit_of(request), auctions=page.auctions, tenant=tenant, tenants=await tenants.all(),
            seller=seller, status=status, statuses=[*Status], older=older, first=before is None,
        )  # fmt: skip

    return [newest]


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise validation({"status": f"must be one of {', '.join(Status)}"}) from None


def _place(text: str) -> Place:
    at, _, auction_id = text.partition("_")
    return Place(time_of(at, "before"), AuctionId(uuid_of(auction_id, "before")))
