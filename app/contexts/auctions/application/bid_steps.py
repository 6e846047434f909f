"""A bid, step by step: its intent, what funds said of its maximum, and whether it counts."""

from dataclasses import dataclass

from app.contexts.auctions.application.asked import BidRequest
from app.contexts.auctions.application.board import Board, OfAnIntent
from app.contexts.auctions.application.decisions import (
    DECIDED_HERE,
    Decided,
    Ended,
    free,
    is_raised,
    not_raising,
    refused,
    there,
    told_before,
    with_the_leaders_hold,
)
from app.contexts.auctions.domain.auction import Auction, Offer
from app.contexts.auctions.domain.events import told_of
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Intent, Kind
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.contexts.funds.public import HoldId, InsufficientFunds
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answered, KeyRecord, recorded
from app.platform.idempotency.refusals import KeyInProgress, KeyReused

Begun = Intent | Decided | Answered | KeyReused | KeyInProgress | AuctionNotFound
"""Of a request: the intent that it is from here on, or why it is none."""
Went = Decided | Intent | Ended
"""Of an intent: its end, or another way for its money to be set aside."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The request is an intent from here on, unless it is refused already. A bidder who leads has that hold made
    larger, unless that is being done.
    """

    request: BidRequest
    intent: None = None

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.request.tenant_id

    @property
    def auction_id(self) -> AuctionId:
        """For which."""
        return self.request.auction_id

    def take(self, board: Board) -> Begun:
        """Begin."""
        request = self.request
        if (record := board.record(request.scope)) is not None:
            found = recorded(request.fingerprint, record)
            own = board.intent(request.bid_id)
            if isinstance(found, KeyInProgress) and own and own.id == record.made:
                return own  # this very request began it: nobody knew whether that was committed
            return found
        auction = board.auction(request.auction_id)
        if auction is None:
            board.changes.forgotten.setdefault(request.scope, request.bid_id)
            return AuctionNotFound()
        intent = _intent(request, auction, board)
        try:
            auction.see_that_it_takes(request.bidder, request.amount_minor, request.max_minor, board.now)
        except DECIDED_HERE as refusal:
            answer = board.answers.refused(refusal)
            board.answer(intent, answer)
            board.begun[request.scope] = KeyRecord(request.fingerprint, None, answer)
            return Decided(Answered(answer), refusal=refusal)
        board.begun[request.scope] = KeyRecord(request.fingerprint, request.bid_id, None)
        intent = with_the_leaders_hold(intent, auction, board) or intent
        board.changes.new_intents[intent.id] = intent
        return intent


@dataclass(frozen=True, slots=True)
class Take(OfAnIntent):
    """The intent's maximum is held: it counts from here on, if it still does. That is decided here alone."""

    hold_id: HoldId

    def take(self, board: Board) -> Went:
        """Take it."""
        current = board.intent(self.intent.id)
        if current is None or current.is_undoing:
            return told_before(self.intent, board)
        if current.kind is not self.intent.kind:
            return current  # this very step has changed it: nobody knew whether that was committed
        auction = there(board, current)
        offer = Offer(
            id=current.id,
            bidder=current.bidder,
            ordinal=board.ordinal(auction.id, current.bidder),
            amount_minor=current.amount_minor,
            max_minor=current.max_minor,
            hold_id=self.hold_id,
        )
        try:
            placed = auction.place(offer, board.now)
        except DECIDED_HERE as refusal:
            return refused(board, auction, current, refusal, self.hold_id)
        if current.kind is Kind.RAISE and not is_raised(auction, current):
            # Somebody else has led meanwhile: the hold that was made larger has gone back, or is about to.
            board.change(other := current.by_own_hold())
            return other
        board.put(placed.auction)
        board.end(current)
        board.changes.bids.setdefault(auction.id, []).append(placed.bid)
        if offer.ordinal is None:
            board.changes.ordinals[auction.id, current.bidder] = placed.bid.ordinal
        board.changes.events += told_of(placed, board.ids, current.traceparent)
        answer = board.answers.placed(placed.bid, placed.auction)
        board.answer(current, answer, has_made=True)
        returns = free(auction.leader, placed.auction.leader, current, self.hold_id)
        board.changes.returns += returns
        return Decided(Answered(answer), returns)


@dataclass(frozen=True, slots=True)
class Refuse(OfAnIntent):
    """Funds have refused to set the maximum aside, for good. A bidder who leads by now may have enough for a raise;
    `is_last` if that was tried.
    """

    refusal: InsufficientFunds
    is_last: bool

    def take(self, board: Board) -> Went:
        """Refuse it."""
        current = board.intent(self.intent.id)
        if current is None or current.is_undoing:
            return told_before(self.intent, board)
        if current.kind is not self.intent.kind:
            return current
        auction, refusal = there(board, current), self.refusal
        try:
            auction.see_that_it_takes(current.bidder, current.amount_minor, current.max_minor, board.now)
        except DECIDED_HERE as earlier:
            return refused(board, auction, current, earlier, None)
        if not self.is_last and (other := with_the_leaders_hold(current, auction, board)):
            board.change(other)
            return other
        return refused(board, auction, current, refusal, None)


@dataclass(frozen=True, slots=True)
class Reroute(OfAnIntent):
    """The leader's hold could not be made larger: it was closed, or changed too often. The bid has one of its own."""

    def take(self, board: Board) -> Went:
        """Go another way."""
        current = board.intent(self.intent.id)
        if current is None or current.is_undoing:
            return told_before(self.intent, board)
        if current.kind is Kind.RAISE:
            not_raising(board, current)
            board.change(current := current.by_own_hold())
        return current


def _intent(request: BidRequest, auction: Auction, board: Board) -> Intent:
    return Intent(
        id=request.bid_id,
        tenant_id=request.tenant_id,
        auction_id=auction.id,
        currency=auction.currency,
        bidder=request.bidder,
        key=request.key,
        kind=Kind.BID,
        amount_minor=request.amount_minor,
        max_minor=request.max_minor,
        created_at=board.now,
        traceparent=request.traceparent,
    )
