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


class ProductNotFound(Refusal):
    """Whoever asks sells no such product."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such product"


class AuctionHasBids(Refusal):
    """Whoever sells cannot call off what others bid for."""

    code = "AUCTION_HAS_BIDS"

    def __str__(self) -> str:
        return "there are bids already"


class BuyNowGone(Refusal):
    """It is not to be had at once: it never was, or the bids have come to that price."""

    code = "BUY_NOW_GONE"

    def __str__(self) -> str:
        return "it cannot be bought at once any more"


class Unfit(Refusal):
    """A member of the request does not go with what there is; `member` and `why` say which."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member, why)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"
