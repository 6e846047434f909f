"""The schemas that migrations make."""

SCHEMAS = (
    "public",
    "payments",
    "reconciliation",
    "funds",
    "identity",
    "catalog",
    "ordering",
    "auctions",
    "chain",
    "mint",
    "rewards",
    "webhooks",
    "audit",
    "metrics",
)
