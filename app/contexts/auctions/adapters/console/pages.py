"""What auctions bring to the console."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.auctions.adapters.console.auction import auction, page_of_an_auction
from app.contexts.auctions.application.read_auctions import ReadAuctions
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.platform.console.page import Page
from app.platform.tenants import KnownTenants, TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")


def pages(read: ReadAuctions, tenants: KnownTenants) -> Sequence[Page]:
    """The pages."""
    one, known = partial(auction, read, tenants), partial(page_of_an_auction, read, tenants)
    return [Page(one, templates=TEMPLATES, not_found=(AuctionNotFound, TenantUnknown), knows=known)]
