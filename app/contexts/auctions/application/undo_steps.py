"""What becomes of intents of which nothing comes, and of holds that are for nothing any more."""

from dataclasses import dataclass

from app.contexts.auctions.application.board import Board, OfAnIntent
from app.contexts.auctions.application.decisions import Undoing, not_raising, there, to_undo
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.intent import Return
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class GiveUp(OfAnIntent):
    """Nothing comes of the intent, from here on for sure; what that asks for, unless it was decided before."""

    def take(self, board: Board) -> Undoing | None:
        """Give it up."""
        current = board.intent(self.intent.id)
        if current is None:
            return None
        if not current.is_undoing:
            board.change(current := current.undo())
        return to_undo(there(board, current), current)


@dataclass(frozen=True, slots=True)
class Undone(OfAnIntent):
    """Nothing is held for the intent, and never will be. Without an answer its key is free again."""

    def take(self, board: Board) -> None:
        """See it off."""
        current = board.intent(self.intent.id)
        if current is not None:
            not_raising(board, current)
            board.end(current)
            board.changes.forgotten[current.scope] = current.id


@dataclass(frozen=True, slots=True)
class Returned:
    """The hold is released."""

    back: Return
    request: None = None
    intent: None = None

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.back.tenant_id

    @property
    def auction_id(self) -> AuctionId:
        """For which it was."""
        return self.back.auction_id

    def take(self, board: Board) -> None:
        """Nobody has to see to it any more."""
        board.changes.returned.append(self.back)
