"""What is asked of an auction by somebody who bids, and how that ends."""

from dataclasses import dataclass
from typing import Protocol

from app.contexts.auctions.domain.auction import Auction, Bid
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.refusals import AuctionClosed, BidTooLow, BuyNowGone, OwnAuction
from app.contexts.funds.public import InsufficientFunds
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyScope

BidRefusal = OwnAuction | AuctionClosed | BidTooLow | BuyNowGone | InsufficientFunds
"""Why a bid does not count, or nothing is bought: the answer that is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionRequest:
    """A request about an auction, with a key. The id of what it makes is chosen once: running it again, whatever
    happened before, is the same request.
    """

    tenant_id: TenantId
    auction_id: AuctionId
    bidder: UserId
    key: str
    fingerprint: bytes
    bid_id: BidId
    traceparent: str | None = None

    @property
    def scope(self) -> KeyScope:
        """What its key is unique within."""
        return self.bidder, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class BidRequest(AuctionRequest):
    """A request to bid, in minor units. The maximum is held, and nobody is told of it."""

    amount_minor: int
    max_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyRequest(AuctionRequest):
    """A request to have it at once, at the price that it has for that."""


class Answers(Protocol):
    """Makes the responses that are stored with their key, and sent again byte for byte."""

    def placed(self, bid: Bid, auction: Auction) -> Answer:
        """The response to a bid that counts; the auction is as it stood behind it."""
        ...

    def bought(self, order: bytes) -> Answer:
        """The response to a purchase, with the order as its JSON."""
        ...

    def refused(self, refusal: BidRefusal) -> Answer:
        """The response to one that does not."""
        ...
