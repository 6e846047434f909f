"""GET and POST /v1/auctions; GET /v1/auctions/{id} and /v1/auctions/{id}/bids."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from msgspec import json

from app.contexts.auctions.adapters.http import errors, examples
from app.contexts.auctions.adapters.http.bodies import AUCTION_BODY
from app.contexts.auctions.adapters.http.parameters import AUCTION, CATEGORY, SELLER, SORT, STATUS
from app.contexts.auctions.adapters.http.views import (
    AuctionsView,
    BidsView,
    ShownAuctionView,
    bid_view,
    shown_auction,
)
from app.contexts.auctions.application.browse import Filters, Place, Seen, Wanted
from app.contexts.auctions.application.open_auction import OpenAuction
from app.contexts.auctions.application.read_auctions import ReadAuctions
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.opening import Terms
from app.contexts.catalog.public import ProductId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import BEARER, MAYBE_BEARER, Access, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT, TRACEPARENT
from app.platform.http.replies import Reply

TAG: Final = "auctions"
ALL: Final = "/v1/auctions"
ONE: Final = "/v1/auctions/{id}"
_BIDS: Final = "/v1/auctions/{id}/bids"
_SELLERS: Final = Access(frozenset({Role.SELLER, Role.ADMIN}))

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Auctions:
    """The handlers, with what they need."""

    read: ReadAuctions
    open: OpenAuction
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of reading and opening auctions."""
        return [self._opening(), self._listing(), self._reading(), self._bids()]

    def _opening(self) -> Operation:
        return Operation(
            method="POST",
            template=ALL,
            name="openAuction",
            tag=TAG,
            summary="Auction a piece of a product",
            description="For the product's seller. The piece is reserved until the auction is over. It begins at once, "
            "or at `starts_at`, and takes 1 minute to 30 days; starting ≤ reserve ≤ buy-now price.",
            who=BEARER,
            access=_SELLERS,
            handler=self.open_auction,
            parameters=(TRACEPARENT,),
            body=AUCTION_BODY,
            successes=(_OPENED,),
            refusals=(errors.UNFIT, errors.NO_SUCH_PRODUCT, errors.OUT_OF_STOCK, codes.UNAVAILABLE),
        )

    def _listing(self) -> Operation:
        return Operation(
            method="GET",
            template=ALL,
            name="listAuctions",
            tag=TAG,
            summary="Look for auctions",
            description="Of whatever status, unless one is asked for.",
            who=MAYBE_BEARER,
            handler=self.list_auctions,
            parameters=(STATUS, CATEGORY, SELLER, SORT, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(_WRONG_STATUS, codes.UNAVAILABLE),
        )

    def _reading(self) -> Operation:
        return Operation(
            method="GET",
            template=ONE,
            name="getAuction",
            tag=TAG,
            summary="Read an auction",
            description="Its seller is shown the reserve, too. Who bids is a number to all others.",
            who=MAYBE_BEARER,
            handler=self.get_auction,
            parameters=(AUCTION,),
            successes=(SHOWN,),
            refusals=(errors.NO_SUCH_AUCTION, codes.UNAVAILABLE),
        )

    def _bids(self) -> Operation:
        return Operation(
            method="GET",
            template=_BIDS,
            name="listBids",
            tag=TAG,
            summary="Read what was bid",
            description="Nothing of it ever changes.",
            who=MAYBE_BEARER,
            handler=self.list_bids,
            parameters=(AUCTION, LIMIT, CURSOR),
            successes=(_BID_PAGE,),
            refusals=(errors.NO_SUCH_AUCTION, codes.UNAVAILABLE),
        )

    async def open_auction(self, request: Request) -> Reply:
        """Open one."""
        body = request[AUCTION_BODY]
        body.see_to_prices()
        starts_at, ends_at = body.times
        terms = Terms(
            product_id=ProductId(body.product_id),
            currency=Currency(body.currency),
            starting_price_minor=body.starting_price,
            reserve_price_minor=body.reserve_price,
            buy_now_price_minor=body.buy_now_price,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        opening = self.open(request.asker, terms, request[TRACEPARENT])
        return shown(201, request, await finished(self.http, opening))

    async def list_auctions(self, request: Request) -> Reply:
        """A page of those that are asked for."""
        status, slug, seller, sort = request[STATUS], request[CATEGORY], request[SELLER], request[SORT]
        of = (ALL, repr((status and status.value, slug, seller and str(seller), sort.value)))
        cursor, after = request[CURSOR], None
        if cursor is not None:
            at, last = queries.position_of(request.tenant_id, cursor, *of)
            after = Place(at, AuctionId(last))
        wanted = Wanted(filters=Filters(status, seller), sort=sort, after=after, limit=request[LIMIT])
        page = await self._read(self.read.page(request.tenant_id, wanted, slug))
        following = None if page.next is None else queries.to_cursor(request.tenant_id, page.next, *of)
        asker = _asker(request)
        return Reply(200, _encode(AuctionsView([shown_auction(seen, asker) for seen in page.auctions], following)))

    async def get_auction(self, request: Request) -> Reply:
        """One."""
        return shown(200, request, await self._read(self.read.one(request.tenant_id, request[AUCTION])))

    async def list_bids(self, request: Request) -> Reply:
        """A page of an auction's."""
        auction_id, cursor, before = request[AUCTION], request[CURSOR], None
        if cursor is not None:
            _, place = queries.position_of(auction_id, cursor, _BIDS)
            before = place.int
        page = await self._read(self.read.bids(request.tenant_id, auction_id, before, request[LIMIT]))
        following = None
        if page.next is not None:
            position = page.next.created_at, UUID(int=page.next.sequence)
            following = queries.to_cursor(auction_id, position, _BIDS)
        return Reply(200, _encode(BidsView(list(map(bid_view, page.bids)), following)))

    async def _read(self, reading: Coroutine[Any, Any, Any]) -> Any:
        return await self.http.in_flight.read(reading, self.http.timeout_s)


def shown(status: int, request: Request, seen: Seen) -> Reply:
    """The auction as whoever asks sees it."""
    return Reply(status, shown_to(request, seen))


def shown_to(request: Request, seen: Seen) -> bytes:
    """The same, as JSON."""
    return _encode(shown_auction(seen, _asker(request)))


def _asker(request: Request) -> UserId | None:
    return None if request.principal is None else UserId(request.principal.id)


_WRONG_STATUS: Final = replace(
    codes.VALIDATION_ERROR, details={"status": "must be one of scheduled, live, ended, cancelled"}
)
SHOWN: Final = Success(status=200, description="The auction.", type=ShownAuctionView, example=examples.LIVE)
_OPENED: Final = Success(status=201, description="The auction.", type=ShownAuctionView, example=examples.OPENED)
_PAGE: Final = Success(
    status=200,
    description="A page.",
    type=AuctionsView,
    example={"auctions": [examples.LIVE], "next_cursor": None},
)
_BID_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=BidsView,
    example={"bids": [examples.BID], "next_cursor": None},
)
