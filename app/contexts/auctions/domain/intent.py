"""Intents: bids and purchases whose money is being set aside, and holds that are for nothing any more."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.funds.public import HoldId, HoldRef
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

CONTEXT: Final = "auctions"


class Kind(StrEnum):
    """How the money is set aside: by a hold of its own, by making the leader's larger, or to pay for it at once."""

    BID = "bid"
    RAISE = "raise"
    BUY = "buy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What somebody wants to bid: from before anything is held for it until it is decided. Amounts in minor units.

    One that is `undoing` comes to nothing, whatever is held for it by then.
    """

    id: BidId
    tenant_id: TenantId
    auction_id: AuctionId
    currency: Currency
    bidder: UserId
    key: str
    kind: Kind
    amount_minor: int
    max_minor: int
    created_at: datetime
    raised: HoldId | None = None
    """The leader's hold, which a raise makes larger."""
    is_undoing: bool = False
    traceparent: str | None = None

    @property
    def scope(self) -> tuple[UserId, str]:
        """What its key is unique within."""
        return self.bidder, self.key

    @property
    def holding(self) -> OperationId:
        """What funds know the setting aside by."""
        return OperationId(CONTEXT, self.id, "raise" if self.kind is Kind.RAISE else "hold")

    @property
    def lowering(self) -> OperationId:
        """What funds know it by that a raise of which nothing comes is taken back."""
        return OperationId(CONTEXT, self.id, "lower")

    def hold(self, id: HoldId) -> HoldRef:
        """A hold of the bidder's for this auction."""
        return HoldRef(self.bidder, self.currency, id)

    def by_own_hold(self) -> "Intent":
        """The bid, with a hold of its own: there is no leader's hold to be made larger for it any more."""
        return replace(self, kind=Kind.BID, raised=None)

    def by_raising(self, hold_id: HoldId) -> "Intent":
        """The bid, by making the leader's hold larger."""
        return replace(self, kind=Kind.RAISE, raised=hold_id)

    def undo(self) -> "Intent":
        """The intent, of which nothing will come."""
        return replace(self, is_undoing=True)


@dataclass(frozen=True, slots=True)
class Return:
    """A hold that is for nothing any more, and has to be released."""

    tenant_id: TenantId
    auction_id: AuctionId
    hold: HoldRef
