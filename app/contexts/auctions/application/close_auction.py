"""Close an auction: what comes of it, committed; money, stock and order, with nothing held open; its end, committed."""

from typing import Protocol

from app.contexts.auctions.application.clean_up import CleanUp, TakeStep
from app.contexts.auctions.application.closing_steps import BeginCancel, BeginEnd, Begun, Closed, Finish
from app.contexts.auctions.domain.auction import Auction, Closing, Phase
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.intent import CONTEXT, Intent
from app.contexts.catalog.public import ReservedLine, Stock
from app.contexts.funds.public import Done, Funds, HoldRef
from app.contexts.ordering.public import OrderId, Sales
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal


class Intents(Protocol):
    """What is under way, as it is read."""

    async def one(self, tenant_id: TenantId, auction_id: AuctionId, intent_id: BidId) -> Intent | None:
        """The intent, if it is not decided.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


def reservation_of(auction_id: AuctionId) -> OperationId:
    """What the stock knows the piece by, and orders what was sold."""
    return OperationId(CONTEXT, auction_id, "reserve")


def paying(auction_id: AuctionId) -> OperationId:
    """What funds know it by that the winner's hold is made as large as the price."""
    return OperationId(CONTEXT, auction_id, "price")


class CloseAuction:
    """Closes auctions, and finishes what somebody else began: each step is repeatable."""

    def __init__(
        self, take: TakeStep, clean_up: CleanUp, intents: Intents, stock: Stock, funds: Funds, sales: Sales
    ) -> None:
        self._take = take
        self._clean_up = clean_up
        self._intents = intents
        self._stock = stock
        self._funds = funds
        self._sales = sales

    async def end(self, tenant_id: TenantId, auction_id: AuctionId) -> Auction | None:
        """See to an auction whose end has come; None where somebody else does, or it has not.

        Raises:
            Unavailable: nobody knows what became of it; recovery goes on.
        """
        begun: Begun | None = await self._take(BeginEnd(tenant_id=tenant_id, auction_id=auction_id))
        return None if begun is None else (await self.finish(begun)).auction

    async def cancel(self, step: BeginCancel, traceparent: str | None = None) -> Auction:
        """Call the auction off. The same again is the same auction.

        Raises:
            AuctionNotFound: there is none, or it is somebody else's to call off.
            AuctionClosed, AuctionHasBids: it has ended, or is about to; or others bid for it.
            Unavailable: nobody knows what became of it; the same again tells.
        """
        begun: Begun | Refusal = await self._take(step)
        if isinstance(begun, Refusal):
            raise begun
        return (await self.finish(begun, traceparent=traceparent)).auction

    async def finish(self, begun: Begun, bought: Intent | None = None, traceparent: str | None = None) -> Closed:
        """Finish what was begun with the auction, if it is not finished. `bought` is the intent by which it was.

        Raises:
            Unavailable: nobody knows how far it came; recovery goes on.
        """
        auction = begun.auction
        if auction.phase is not Phase.CLOSING and bought is None:
            return Closed(auction, is_first=False)
        await self._clean_up(begun.leftovers)
        await self._end_raise(auction)
        order_id = await self._sell(auction)
        shown = None
        if order_id is None:
            await self._stock.give_back(auction.tenant_id, reservation_of(auction.id))
        elif auction.buyer_key is not None:
            shown = await self._sales.shown(auction.tenant_id, order_id)
        closed: Closed = await self._take(
            Finish(
                tenant_id=auction.tenant_id,
                auction_id=auction.id,
                intent=bought,
                order_id=order_id,
                order=shown,
                traceparent=traceparent,
            )
        )
        return closed

    async def _end_raise(self, auction: Auction) -> None:
        """Nothing makes the leader's hold larger any more. Whoever would have does not lead by it: it came too late."""
        if auction.leader is None or auction.leader.raising is None:
            return
        intent = await self._intents.one(auction.tenant_id, auction.id, auction.leader.raising)
        if intent is not None:
            await self._clean_up.decide(intent)

    async def _sell(self, auction: Auction) -> OrderId | None:
        """The order of whoever has it, paid by a hold of the price; None where nobody has."""
        buyer, hold_id, price_minor = auction.winner_id, auction.winner_hold_id, auction.sold_price_minor
        if buyer is None or hold_id is None or price_minor is None:
            return None
        reservation = reservation_of(auction.id)
        made = await self._sales.order_of(reservation, auction.tenant_id, buyer)
        if made is not None:  # whoever made it died; since then it may have been cancelled, and all of it given back
            return made
        hold = HoldRef(buyer, auction.currency, hold_id)
        if auction.closing is Closing.END:
            outcome = await self._funds.resize(paying(auction.id), hold, price_minor)
            if not isinstance(outcome, Done):
                raise LookupError(f"the hold that pays for auction {auction.id} is not there: {outcome.refusal.code}")
        await self._stock.take(auction.tenant_id, reservation)
        line = ReservedLine(auction.product_id, 1, auction.seller_id, auction.title, price_minor, auction.currency)
        return await self._sales.order_from_sale(reservation, auction.tenant_id, buyer, line, hold)
