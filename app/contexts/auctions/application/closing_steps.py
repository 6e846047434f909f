"""How an auction is closed, step by step: what comes of it is decided when that begins, and written down at its end."""

from dataclasses import dataclass, field

from app.contexts.auctions.application.board import Board
from app.contexts.auctions.application.decisions import Leftover
from app.contexts.auctions.domain import closing
from app.contexts.auctions.domain.auction import Auction, Phase
from app.contexts.auctions.domain.events import Event, EventType
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Intent, Return
from app.contexts.auctions.domain.refusals import AuctionClosed, AuctionHasBids, AuctionNotFound
from app.contexts.funds.public import HoldRef
from app.contexts.ordering.public import OrderId
from app.kernel.ids import EventId, UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answered


@dataclass(frozen=True, slots=True)
class Begun:
    """An auction that is being closed, as it stands, and what that has left to be seen to."""

    auction: Auction
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """An auction that is over, and, where it was bought, what its buyer is told."""

    auction: Auction
    answered: Answered | None = None
    is_first: bool = True
    """Whether it was not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfAnAuction:
    """A step that is about no intent."""

    tenant_id: TenantId
    auction_id: AuctionId
    request: None = field(default=None, init=False)
    intent: Intent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginEnd(_OfAnAuction):
    """The auction's end has come: who has it is decided here, by the clock that every bid goes by."""

    def take(self, board: Board) -> Begun | None:
        """Begin; None where somebody else has, or the end has moved."""
        auction = board.auction(self.auction_id)
        if auction is None or not closing.is_due(auction, board.now):
            return None
        return begun(board, closing.end(auction, board.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginCancel(_OfAnAuction):
    """The auction is to be called off: by its seller while there is no bid, by an admin, or by itself."""

    by: UserId | None
    by_admin: bool = False

    def take(self, board: Board) -> Begun | AuctionNotFound | AuctionClosed | AuctionHasBids:
        """Begin. The same again is as it stands."""
        auction, may_always = board.auction(self.auction_id), self.by_admin or self.by is None
        if auction is None or not (may_always or self.by == auction.seller_id):
            return AuctionNotFound()
        try:
            after = closing.cancel(auction, self.by, board.now, may_always=may_always)
        except (AuctionClosed, AuctionHasBids) as refusal:
            return refusal
        return Begun(auction) if after is auction else begun(board, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(_OfAnAuction):
    """All is done that the closing asked for: the auction is over, with the order of whoever has it. `order` is that as
    its buyer sees it, where it was bought.
    """

    order_id: OrderId | None
    order: bytes | None = None
    traceparent: str | None = None

    def take(self, board: Board) -> Closed:
        """Finish it. The first to say so does."""
        auction = board.auction(self.auction_id)
        assert auction is not None, "what is closed stays"
        if auction.phase is not Phase.CLOSING:
            return Closed(auction, self._told_before(board, auction), is_first=False)
        after = closing.finish(auction, self.order_id, board.now)
        told = EventType.CANCELLED if after.phase is Phase.CANCELLED else EventType.ENDED
        board.put(after)
        board.changes.events.append(Event(EventId(board.ids()), told, after, board.now, self.traceparent))
        if after.buyer_key is None:
            return Closed(after)
        assert after.winner_id is not None, "somebody bought it"
        assert self.order is not None, "which is an order"
        scope, answer = (after.winner_id, after.buyer_key), board.answers.bought(self.order)
        board.changes.answers[scope] = answer
        board.changes.made.add(scope)
        return Closed(after, Answered(answer))

    def _told_before(self, board: Board, auction: Auction) -> Answered | None:
        if self.intent is None or auction.buyer_key is None:
            return None
        record = board.record((self.intent.bidder, auction.buyer_key))
        return None if record is None or record.answer is None else Answered(record.answer, replayed=True)


def begun(board: Board, auction: Auction) -> Begun:
    """The auction is being closed from here on. A leader who does not get it is to have the money back."""
    board.put(auction)
    lost = closing.lost_hold(auction)
    if lost is None:
        return Begun(auction)
    assert auction.leader is not None, "whose hold it is"
    back = Return(auction.tenant_id, auction.id, HoldRef(auction.leader.user_id, auction.currency, lost))
    board.changes.returns.append(back)
    return Begun(auction, (back,))
