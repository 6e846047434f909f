"""What auctions refuse for a business reason: one class each, its data as attributes, no HTTP."""

from app.kernel.refusals import Refusal


class AuctionNotFound(Refusal):
    """The tenant has no such auction."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such auction"


class OwnAuction(Refusal):
    """Nobody bids for what they sell themselves."""

    code = "OWN_AUCTION"

    def __str__(self) -> str:
        return "this is the bidder's own auction"


class AuctionClosed(Refusal):
    """The auction takes no bids: not yet, not any more, or none beyond those that it has. `status` says how it is
    shown.
    """

    code = "AUCTION_CLOSED"

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return "the auction takes no bids"


class BidTooLow(Refusal):
    """A bid is less than the least that is taken, in minor units; or a raise is none."""

    code = "BID_TOO_LOW"

    def __init__(self, minimum_bid: int) -> None:
        super().__init__(minimum_bid)
        self.minimum_bid = minimum_bid

    def __str__(self) -> str:
        return "the bid is too low"
