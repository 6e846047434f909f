"""What machines may be allowed: THE list. A context that asks for another adds it here."""

from typing import Final

SCOPES: Final[frozenset[str]] = frozenset(
    {
        "wallet:receive",
        "transfers:write",
        "payments:write",
        "payments:read",
        "payments:refund",
        "finance:read",
        "purchases:write",
        "webhooks:manage",
        "cache:invalidate",
    }
)
