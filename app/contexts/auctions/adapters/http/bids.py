"""POST /v1/auctions/{id}/bids."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, json

from app.contexts.auctions.adapters.http import errors
from app.contexts.auctions.adapters.http.parameters import AUCTION
from app.contexts.auctions.adapters.http.views import BoughtView
from app.contexts.auctions.application.asked import BidRefusal, BidRequest
from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.domain.auction import Auction, Bid
from app.contexts.auctions.domain.ids import BidId
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.kernel.new_ids import Ids
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.errors import validation
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.keyed import KEYED, keyed, refused, reply_of
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.http.shapes import Amount, Time, timestamp
from app.platform.idempotency.keys import Answer

TAG: Final = "auctions"
_ROUTE: Final = "/v1/auctions/{id}/bids"
_MAX_RULE: Final = f"must be an integer between amount and {MAX_MINOR}"
_encode = json.Encoder().encode

PlacingBids = Callable[[BidRequest, float], Coroutine[Any, Any, Decided]]
"""The use case: `app.contexts.auctions.application.place_bid.PlaceBid`."""


class BidBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is bid, and up to how much whoever bids would go: as much is set aside, and nobody is told."""

    amount: Amount
    max_amount: Annotated[Amount | UnsetType, Rule(_MAX_RULE, lambda most: most is UNSET or most <= MAX_MINOR)] = UNSET


class BidView(Struct, frozen=True):
    """A bid that counts, and what it made of the auction."""

    bid_id: UUID
    sequence: Annotated[int, Meta(ge=1, description="Its place among the auction's bids.")]
    amount: Amount
    leading: Annotated[bool, Meta(description="False where another's maximum is as high or higher.")]
    current_price: Amount
    minimum_bid: Amount
    ends_at: Time


class HttpBidAnswers:
    """Makes the bytes that are stored, sent, and replayed. It implements `Answers`."""

    def placed(self, bid: Bid, auction: Auction) -> Answer:
        """The bid."""
        view = BidView(
            bid_id=bid.id,
            sequence=bid.sequence,
            amount=bid.amount_minor,
            leading=bid.is_leading,
            current_price=auction.current_price_minor,
            minimum_bid=auction.minimum_bid_minor,
            ends_at=timestamp(auction.ends_at),
        )
        return Answer(201, _encode(view))

    def bought(self, order: bytes) -> Answer:
        """The order."""
        return Answer(201, _encode(BoughtView(Raw(order))))

    def refused(self, refusal: BidRefusal) -> Answer:
        """Why not."""
        return refused(_STORED[type(refusal)], refusal)


BID_BODY: Final = JsonBody(BidBody, {"amount": 1300, "max_amount": 2500}, "a bid")

_REFUSALS: Final = (
    codes.VALIDATION_ERROR,
    errors.NO_SUCH_AUCTION,
    errors.OWN_AUCTION,
    errors.AUCTION_CLOSED,
    errors.BID_TOO_LOW,
    errors.INSUFFICIENT_FUNDS,
    codes.UNAVAILABLE,
    *KEYED,
)
_STORED: Final = {
    type_: kind for kind in (*_REFUSALS, errors.BUY_NOW_GONE) if kind.is_stored for type_ in kind.refusals
}
_PLACED: Final = Success(
    status=201,
    description="The bid counts, whether it leads or not.",
    type=BidView,
    example={
        "bid_id": "0193a5b2-7c4e-7d1c-9bb0-718293041526",
        "sequence": 7,
        "amount": 1300,
        "leading": True,
        "current_price": 1300,
        "minimum_bid": 1350,
        "ends_at": "2026-01-31T12:00:00.000000Z",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bids:
    """The handler, with what it needs."""

    place: PlacingBids
    clean_up: CleanUp
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of bidding."""
        bid = Operation(
            method="POST",
            template=_ROUTE,
            name="placeBid",
            tag=TAG,
            summary="Bid in an auction",
            description="At most once for each who asks and key, however often it is sent: a finished request is "
            "answered again with the same bytes and `Idempotent-Replayed: true`. Without `max_amount` it is `amount`. "
            "As long as one leads one's maximum is set aside; while one does, another bid makes that larger.",
            who=BEARER,
            buckets=("wallet",),
            handler=self.place_bid,
            parameters=(AUCTION, IDEMPOTENCY_KEY, TRACEPARENT),
            body=BID_BODY,
            successes=(_PLACED,),
            refusals=_REFUSALS,
        )
        return [bid]

    async def place_bid(self, request: Request) -> Reply:
        """Answer somebody who bids."""
        body, asker, auction_id = request[BID_BODY], request.asker, request[AUCTION]
        max_minor = body.amount if body.max_amount is UNSET else body.max_amount
        if max_minor < body.amount:
            raise validation({"max_amount": _MAX_RULE})
        asked = keyed(request, f"POST {_ROUTE}", body, [auction_id])
        wanted = BidRequest(
            tenant_id=asker.tenant_id,
            auction_id=auction_id,
            bidder=UserId(asker.id),
            key=asked.key,
            fingerprint=asked.fingerprint,
            bid_id=BidId(self.ids()),
            amount_minor=body.amount,
            max_minor=max_minor,
            traceparent=request[TRACEPARENT],
        )
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        decided = await self.http.in_flight.write(self.place(wanted, deadline), deadline)
        if decided.leftovers:
            self.http.in_flight.go_on(self.clean_up(decided.leftovers))
        return reply_of(request, decided.answered)
