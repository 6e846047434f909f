"""What the client has by the specification, and the service does not offer yet, by what brings it.

What has come leaves these lists: a test says which.
"""

from tests.client.offered import Route

TO_COME: dict[str, set[Route]] = {
    "refunds": {
        ("POST", "/v1/payments"),
        ("GET", "/v1/payments"),
        ("GET", "/v1/payments/{}"),
        ("POST", "/v1/payments/{}/refunds"),
        ("GET", "/v1/payments/{}/refunds"),
        ("GET", "/v1/refunds/{}"),
    },
    "webhooks": {
        ("POST", "/v1/webhooks"),
        ("GET", "/v1/webhooks"),
        ("GET", "/v1/webhooks/{}"),
        ("PATCH", "/v1/webhooks/{}"),
        ("DELETE", "/v1/webhooks/{}"),
        ("POST", "/v1/webhooks/{}/rotate"),
        ("POST", "/v1/webhooks/{}/test"),
        ("GET", "/v1/webhooks/{}/deliveries"),
        ("POST", "/v1/webhooks/{}/deliveries/{}/redeliver"),
        ("POST", "/v1/webhooks/{}/replay"),
    },
    "statements": {
        ("GET", "/v1/wallet/balance"),
        ("GET", "/v1/wallet/statement"),
        ("GET", "/v1/users/{}/wallet/balance"),
        ("GET", "/v1/users/{}/wallet/statement"),
    },
    "payouts": {("POST", "/v1/wallet/send/bulk")},
    "reconciliation": {
        ("POST", "/v1/reconciliations"),
        ("GET", "/v1/reconciliations"),
        ("GET", "/v1/reconciliations/{}"),
        ("GET", "/v1/reconciliations/{}/findings"),
        ("POST", "/v1/reconciliations/findings/{}/resolve"),
    },
    "auctions": {
        ("POST", "/v1/auctions"),
        ("GET", "/v1/auctions"),
        ("GET", "/v1/auctions/{}"),
        ("POST", "/v1/auctions/{}/bids"),
        ("POST", "/v1/auctions/{}/buy"),
        ("POST", "/v1/auctions/{}/cancel"),
        ("GET", "/v1/auctions/{}/bids"),
        ("GET", "/v1/auctions/{}/live"),
    },
}
CODES_TO_COME = {
    "refunds": {"PAYMENT_STATE"},
    "webhooks": {"TOO_MANY", "WEBHOOK_DISABLED"},
    "payouts": {"BULK_REFUSED"},
    "auctions": {
        "AUCTION_CLOSED",
        "AUCTION_HAS_BIDS",
        "BID_TOO_LOW",
        "BUY_NOW_GONE",
        "OWN_AUCTION",
        "PRODUCT_IN_AUCTION",
    },
}
WORDS_TO_COME = {"MERCHANT_REFUND"}
"""Of enumerations, by what they say."""
