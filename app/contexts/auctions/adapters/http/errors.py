"""The errors that requests about auctions are answered with."""

from dataclasses import replace
from typing import Final

from app.contexts.auctions.domain.refusals import (
    AuctionClosed,
    AuctionHasBids,
    AuctionNotFound,
    BidTooLow,
    BuyNowGone,
    OwnAuction,
    ProductNotFound,
    Unfit,
)
from app.contexts.catalog.public import OutOfStock
from app.contexts.funds.public import InsufficientFunds
from app.platform.http import codes
from app.platform.http.codes import ErrorCode

NO_SUCH_AUCTION: Final = replace(
    codes.NOT_FOUND,
    when="There is no such auction. Never stored.",
    message=str(AuctionNotFound()),
    refusals=(AuctionNotFound,),
)
NO_SUCH_PRODUCT: Final = replace(
    codes.NOT_FOUND,
    when="There is no such product, or it is somebody else's to sell.",
    message=str(ProductNotFound()),
    refusals=(ProductNotFound,),
)
UNFIT: Final = replace(
    codes.VALIDATION_ERROR,
    when="Malformed, or it does not go with what there is: `details` says which member and why.",
    details={"currency": "must be the product's"},
    refusals=(Unfit,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)
OUT_OF_STOCK: Final = ErrorCode(
    name="OUT_OF_STOCK",
    status=409,
    when="No piece of the product is free.",
    message=str(OutOfStock({})),
    details={"products": [{"product_id": "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f", "available": 0}]},
    refusals=(OutOfStock,),
    details_of=OutOfStock.told,
)
OWN_AUCTION: Final = ErrorCode(
    name="OWN_AUCTION",
    status=409,
    when="Whoever asks sells it. Stored.",
    message=str(OwnAuction()),
    details={},
    refusals=(OwnAuction,),
    is_stored=True,
)
AUCTION_CLOSED: Final = ErrorCode(
    name="AUCTION_CLOSED",
    status=409,
    when="It has not begun, its end has come, or it was cancelled: `details` says how it is shown. Stored.",
    message=str(AuctionClosed("ended")),
    details={"status": "ended"},
    refusals=(AuctionClosed,),
    details_of=lambda refusal: {"status": refusal.status},
    is_stored=True,
)
BID_TOO_LOW: Final = ErrorCode(
    name="BID_TOO_LOW",
    status=409,
    when="Another bid has to be `minimum_bid` at the least, which `details` says; one's own, while one leads, has to "
    "have a higher `max_amount` than before. Stored.",
    message=str(BidTooLow(1300)),
    details={"minimum_bid": 1300},
    refusals=(BidTooLow,),
    details_of=lambda refusal: {"minimum_bid": refusal.minimum_bid},
    is_stored=True,
)
AUCTION_HAS_BIDS: Final = ErrorCode(
    name="AUCTION_HAS_BIDS",
    status=409,
    when="There are bids already: only admins may cancel it.",
    message=str(AuctionHasBids()),
    details={},
    refusals=(AuctionHasBids,),
)
BUY_NOW_GONE: Final = ErrorCode(
    name="BUY_NOW_GONE",
    status=409,
    when="It has no buy-now price, or the bids have come to it. Stored.",
    message=str(BuyNowGone()),
    details={},
    refusals=(BuyNowGone,),
    is_stored=True,
)
INSUFFICIENT_FUNDS: Final = ErrorCode(
    name="INSUFFICIENT_FUNDS",
    status=409,
    when="The wallet does not hold as much as would have to be set aside. Stored: after a top-up a new key is needed.",
    message="the wallet does not hold enough; after a top-up use a new Idempotency-Key",
    details={"currency": "USD", "current_balance": 100, "amount": 2500},
    refusals=(InsufficientFunds,),
    details_of=InsufficientFunds.told,
    is_stored=True,
)
