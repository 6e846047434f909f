"""POST /v1/auctions/{id}/buy and /cancel."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import Struct

from app.contexts.auctions.adapters.http import errors, examples
from app.contexts.auctions.adapters.http.auctions import ONE, SHOWN, TAG, shown
from app.contexts.auctions.adapters.http.parameters import AUCTION
from app.contexts.auctions.adapters.http.views import BoughtView
from app.contexts.auctions.application.asked import BuyRequest
from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.application.close_auction import CloseAuction
from app.contexts.auctions.application.closing_steps import BeginCancel
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.domain.ids import BidId
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.keyed import KEYED, keyed, reply_of
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT
from app.platform.http.replies import Reply

_BUY: Final = f"{ONE}/buy"
_CANCEL: Final = f"{ONE}/cancel"

Buying = Callable[[BuyRequest, float], Coroutine[Any, Any, Decided]]
"""The use case: `app.contexts.auctions.application.buy_now.BuyNow`."""


class Nothing(Struct, frozen=True):
    """What is said of a purchase: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """The handlers, with what they need."""

    buy: Buying
    close: CloseAuction
    clean_up: CleanUp
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of ending auctions."""
        return [self._buying(), self._cancelling()]

    def _buying(self) -> Operation:
        return Operation(
            method="POST",
            template=_BUY,
            name="buyNow",
            tag=TAG,
            summary="Buy at once what is being auctioned",
            description="While it is live and the price is below `buy_now_price`, whatever anybody's maximum. It ends "
            "the auction. At most once for each who asks and key, however often it is sent: a finished request is "
            "answered again with the same bytes and `Idempotent-Replayed: true`. Whoever leads needs the price beside "
            "what is set aside for that, which goes back.",
            who=BEARER,
            buckets=("wallet",),
            handler=self.buy_now,
            parameters=(AUCTION, IDEMPOTENCY_KEY, TRACEPARENT),
            successes=(_BOUGHT,),
            refusals=(
                errors.NO_SUCH_AUCTION,
                errors.OWN_AUCTION,
                errors.AUCTION_CLOSED,
                errors.BUY_NOW_GONE,
                errors.INSUFFICIENT_FUNDS,
                codes.UNAVAILABLE,
                *KEYED,
            ),
        )

    def _cancelling(self) -> Operation:
        return Operation(
            method="POST",
            template=_CANCEL,
            name="cancelAuction",
            tag=TAG,
            summary="Call an auction off",
            description="For its seller while there is no bid, for admins until it has ended. Whoever leads has the "
            "money back, and the piece is for sale again. The same again is answered the same.",
            who=BEARER,
            handler=self.cancel,
            parameters=(AUCTION, TRACEPARENT),
            successes=(replace(SHOWN, example=examples.CANCELLED),),
            refusals=(
                replace(errors.NO_SUCH_AUCTION, when="There is no such auction, or it is somebody else's to call off."),
                replace(errors.AUCTION_CLOSED, when="It has ended, or is about to.", is_stored=False),
                errors.AUCTION_HAS_BIDS,
                codes.UNAVAILABLE,
            ),
        )

    async def buy_now(self, request: Request) -> Reply:
        """Answer a buyer."""
        asker, auction_id = request.asker, request[AUCTION]
        asked = keyed(request, f"POST {_BUY}", Nothing(), [auction_id])
        wanted = BuyRequest(
            tenant_id=asker.tenant_id,
            auction_id=auction_id,
            bidder=UserId(asker.id),
            key=asked.key,
            fingerprint=asked.fingerprint,
            bid_id=BidId(self.ids()),
            traceparent=request[TRACEPARENT],
        )
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        decided = await self.http.in_flight.write(self.buy(wanted, deadline), deadline)
        if decided.leftovers:
            self.http.in_flight.go_on(self.clean_up(decided.leftovers))
        return reply_of(request, decided.answered)

    async def cancel(self, request: Request) -> Reply:
        """Answer a seller, or an admin."""
        asker = request.asker
        step = BeginCancel(
            tenant_id=asker.tenant_id,
            auction_id=request[AUCTION],
            by=UserId(asker.id),
            by_admin=asker.role is Role.ADMIN,
        )
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        cancelling = self.close.cancel(step, request[TRACEPARENT])
        auction = await self.http.in_flight.write(cancelling, deadline)
        return shown(200, request, Seen(auction, auction.updated_at))


_BOUGHT: Final = Success(
    status=201,
    description="The order, which is paid: its money is set aside.",
    type=BoughtView,
    example={"order": examples.ORDER},
)
