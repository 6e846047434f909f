"""What can come of a bid, and what that changes: for the steps that decide it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.contexts.auctions.application.asked import BidRefusal
from app.contexts.auctions.application.board import Board
from app.contexts.auctions.domain.auction import Auction, Leader
from app.contexts.auctions.domain.intent import Intent, Kind, Return
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, OwnAuction
from app.contexts.funds.public import HoldId
from app.platform.idempotency.keys import Answered

DECIDED_HERE: Final = (OwnAuction, AuctionClosed, BidTooLow)
"""What a bid is refused with by the auction, and not by funds."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """An intent of which nothing comes. The leader's hold that it made larger is the leader's still, and has to be of
    `lower_to_minor` again; None where there is none such.
    """

    intent: Intent
    lower_to_minor: int | None = None


Leftover = Return | Undoing
"""What has to be seen to once somebody has their answer."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The bid has its answer: it counts, or it does not."""

    answered: Answered
    leftovers: Sequence[Leftover] = ()
    refusal: BidRefusal | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Somebody else has decided the intent: the key tells, or is free."""


def not_raising(board: Board, intent: Intent) -> None:
    """The leader's hold is not being made larger any more, if it was for this intent."""
    auction = board.auction(intent.auction_id)
    if auction and auction.leader and auction.leader.raising == intent.id:
        board.put(replace(auction, leader=replace(auction.leader, raising=None)))


def to_undo(auction: Auction, intent: Intent) -> Undoing:
    """What has to be done about an intent of which nothing comes."""
    if is_raised(auction, intent):
        assert auction.leader is not None, "its hold is the one"
        return Undoing(intent, auction.leader.max_minor)
    return Undoing(intent)


def there(board: Board, intent: Intent) -> Auction:
    """The intent's auction."""
    auction = board.auction(intent.auction_id)
    assert auction is not None, "what an intent is for stays"
    return auction


def with_the_leaders_hold(intent: Intent, auction: Auction, board: Board) -> Intent | None:
    """The intent, if its bidder leads and nothing else makes that hold larger; then this is about to."""
    leader = auction.leader
    if leader is None or leader.user_id != intent.bidder or leader.raising is not None:
        return None
    board.put(replace(auction, leader=replace(leader, raising=intent.id)))
    return intent.by_raising(leader.hold_id)


def is_raised(auction: Auction, intent: Intent) -> bool:
    """Whether the hold that the intent makes larger is the leader's still."""
    return auction.leader is not None and intent.raised is not None and auction.leader.hold_id == intent.raised


def told_before(intent: Intent, board: Board) -> Decided | Ended:
    """What became of an intent that is not open any more, if that was a bid which counts."""
    record = board.record(intent.scope)
    if record is None or record.answer is None or record.made != intent.id:
        return Ended()
    return Decided(Answered(record.answer, replayed=True))


def refused(board: Board, auction: Auction, intent: Intent, refusal: BidRefusal, hold_id: HoldId | None) -> Decided:
    """It does not count. What is held for it by this hold, if anything is, goes back."""
    answered = Answered(board.answers.refused(refusal))
    board.answer(intent, answered.answer)
    if intent.kind is Kind.RAISE and hold_id is not None and is_raised(auction, intent):
        board.change(intent.undo())  # until the leader's hold is as it was, nothing else makes it larger
        return Decided(answered, [to_undo(auction, intent)], refusal)
    not_raising(board, intent)
    board.end(intent)
    returns = [] if hold_id is None or intent.kind is Kind.RAISE else [_return(intent, hold_id)]
    board.changes.returns += returns
    return Decided(answered, returns, refusal)


def free(before: Leader | None, after: Leader | None, intent: Intent, hold_id: HoldId) -> list[Return]:
    """The holds that are for nothing once a bid counts: the last leader's, or its own."""
    if after is not None and after.hold_id != hold_id:
        return [_return(intent, hold_id)]
    if before is None or before.hold_id == hold_id:
        return []
    of_before = replace(intent, bidder=before.user_id)
    return [_return(of_before, before.hold_id)]


def _return(intent: Intent, hold_id: HoldId) -> Return:
    return Return(intent.tenant_id, intent.auction_id, intent.hold(hold_id))
