"""A purchase at once, step by step: its intent, what funds said of the price, and whether it is sold."""

from dataclasses import dataclass

from app.contexts.auctions.application.asked import BuyRequest
from app.contexts.auctions.application.board import Board, OfAnIntent
from app.contexts.auctions.application.closing_steps import Begun, begun
from app.contexts.auctions.application.decisions import Decided, Ended, refused, there, told_before
from app.contexts.auctions.domain import closing
from app.contexts.auctions.domain.auction import Closing
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Intent, Kind
from app.contexts.auctions.domain.refusals import AuctionClosed, AuctionNotFound, BuyNowGone, OwnAuction
from app.contexts.funds.public import HoldId, InsufficientFunds
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answered, KeyRecord, recorded
from app.platform.idempotency.refusals import KeyInProgress, KeyReused

Wanted = Intent | Decided | Answered | KeyReused | KeyInProgress | AuctionNotFound
"""Of a request: the intent that it is from here on, or why it is none."""

_DECIDED_HERE = (OwnAuction, AuctionClosed, BuyNowGone)


@dataclass(frozen=True, slots=True)
class BeginPurchase:
    """The request is an intent from here on, of the price that it costs now, unless it is refused already."""

    request: BuyRequest
    intent: None = None

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.request.tenant_id

    @property
    def auction_id(self) -> AuctionId:
        """Which."""
        return self.request.auction_id

    def take(self, board: Board) -> Wanted:
        """Begin."""
        request = self.request
        if (record := board.record(request.scope)) is not None:
            found = recorded(request.fingerprint, record)
            own = board.intent(request.bid_id)
            return own if isinstance(found, KeyInProgress) and own and own.id == record.made else found
        auction = board.auction(request.auction_id)
        if auction is None:
            board.changes.forgotten.setdefault(request.scope, request.bid_id)
            return AuctionNotFound()
        try:
            price_minor = closing.price_to_buy(auction, request.bidder, board.now)
        except _DECIDED_HERE as refusal:
            answer = board.changes.answers[request.scope] = board.answers.refused(refusal)
            board.begun[request.scope] = KeyRecord(request.fingerprint, None, answer)
            return Decided(Answered(answer), refusal=refusal)
        board.begun[request.scope] = KeyRecord(request.fingerprint, request.bid_id, None)
        intent = Intent(
            id=request.bid_id,
            tenant_id=request.tenant_id,
            auction_id=auction.id,
            currency=auction.currency,
            bidder=request.bidder,
            key=request.key,
            kind=Kind.BUY,
            amount_minor=price_minor,
            max_minor=price_minor,
            created_at=board.now,
            traceparent=request.traceparent,
        )
        board.changes.new_intents[intent.id] = intent
        return intent


@dataclass(frozen=True, slots=True)
class Buy(OfAnIntent):
    """The price is held: it is sold from here on, if it still can be. That is decided here, and nowhere else."""

    hold_id: HoldId

    def take(self, board: Board) -> Begun | Decided | Ended:
        """Buy it."""
        auction = there(board, self.intent)
        if auction.closing is Closing.BUY and auction.winner_hold_id == self.hold_id:
            return Begun(auction)  # this very step has bought it: nobody knew whether that was committed
        current = board.intent(self.intent.id)
        if current is None or current.is_undoing:
            return told_before(self.intent, board)
        try:
            after = closing.buy(auction, current.bidder, current.key, self.hold_id, board.now)
        except _DECIDED_HERE as refusal:
            return refused(board, auction, current, refusal, self.hold_id)
        board.end(current)
        return begun(board, after)


@dataclass(frozen=True, slots=True)
class RefusePurchase(OfAnIntent):
    """Funds have refused to set the price aside, for good."""

    refusal: InsufficientFunds

    def take(self, board: Board) -> Decided | Ended:
        """Refuse it."""
        current = board.intent(self.intent.id)
        if current is None or current.is_undoing:
            return told_before(self.intent, board)
        auction = there(board, current)
        try:
            closing.price_to_buy(auction, current.bidder, board.now)
        except _DECIDED_HERE as earlier:
            return refused(board, auction, current, earlier, None)
        return refused(board, auction, current, self.refusal, None)
