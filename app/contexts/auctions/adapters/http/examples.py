"""The examples that the document of the API tells of auctions."""

import json
from typing import Any, Final

AUCTION: Final = "0193a5b2-7c4e-7d21-8b1c-5a6b7c8d9e0f"
PRODUCT: Final = "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f"
SELLER: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
STARTS_AT: Final = "2026-01-31T12:00:00.000000Z"
ENDS_AT: Final = "2026-02-01T12:00:00.000000Z"

LIVE: Final[dict[str, Any]] = {
    "auction_id": AUCTION,
    "product_id": PRODUCT,
    "seller_id": SELLER,
    "currency": "USD",
    "starting_price": 1000,
    "buy_now_price": 5000,
    "reserve_met": False,
    "current_price": 1500,
    "minimum_bid": 1600,
    "bid_count": 3,
    "leader": "b****2",
    "leading": False,
    "status": "live",
    "starts_at": STARTS_AT,
    "ends_at": ENDS_AT,
    "version": 4,
    "order_id": None,
}
"""An auction as anybody sees it."""
EVENT: Final = {"id": "4", "event": "bid", "data": json.dumps(LIVE, separators=(",", ":"))}
"""What those who watch it were sent last."""
OPENED: Final[dict[str, Any]] = LIVE | {
    "reserve_price": 2000,
    "current_price": 1000,
    "minimum_bid": 1000,
    "bid_count": 0,
    "leader": None,
    "version": 1,
}
"""One that its seller has just opened."""
CANCELLED: Final[dict[str, Any]] = OPENED | {"status": "cancelled", "version": 2}
BID: Final[dict[str, Any]] = {
    "sequence": 3,
    "bidder": "b****2",
    "amount": 1500,
    "current_price": 1500,
    "created_at": "2026-01-31T15:20:00.000000Z",
}
ORDER: Final[dict[str, Any]] = {
    "order_id": "0193a5b2-7c4e-7d16-b7c8-3d4e5f607182",
    "checkout_id": "0193a5b2-7c4e-7d17-88d9-4e5f60718293",
    "buyer_id": "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10",
    "seller_id": SELLER,
    "items": [{"product_id": PRODUCT, "title": "A lamp", "qty": 1, "price": 5000}],
    "total": 5000,
    "fee": 50,
    "currency": "USD",
    "status": "paid",
    "payment_ref": "0193a5b2-7c4e-7d18-99ea-5f6071829304",
    "tracking": None,
    "created_at": STARTS_AT,
    "updated_at": STARTS_AT,
}
"""What comes of a purchase."""
