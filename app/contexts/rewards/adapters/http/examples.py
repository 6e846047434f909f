"""What requests about cashback are answered with, for instance."""

from typing import Final

USER: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
ENTRY: Final = "0193a5b2-7c4e-7d21-8c9d-7a8b9c0d1e2f"
RULE_ID: Final = "0193a5b2-7c4e-7d22-9d0e-8b9c0d1e2f30"
PURCHASE_ID: Final = "0193a5b2-7c4e-7d23-8e1f-9c0d1e2f3041"
AT: Final = "2026-01-31T12:00:00.000000Z"
PURCHASE: Final = {
    "purchase_id": PURCHASE_ID,
    "user_id": USER,
    "merchant": "lamps.example",
    "category": "lamps",
    "external_reference": "till 4, receipt 2026-0131",
    "amount": 2500,
    "currency": "USD",
    "cashback": {"entry_id": ENTRY, "amount": "250000", "rule_id": RULE_ID, "status": "MINTING"},
    "created_at": AT,
}
REFUND: Final = {
    "refund_id": "0193a5b2-7c4e-7d24-9f20-0d1e2f304152",
    "purchase_id": PURCHASE_ID,
    "user_id": USER,
    "reference": "return 2026-0207",
    "amount": 1250,
    "currency": "USD",
    "reversed": "125000",
    "created_at": AT,
}
LINE: Final = {
    "line_id": "0193a5b2-7c4e-7d25-8031-1e2f30415263",
    "entry_id": ENTRY,
    "kind": "MINTING",
    "amount": "250000",
    "owed": "0",
    "source": "purchase",
    "merchant": "lamps.example",
    "reference": "till 4, receipt 2026-0131",
    "rule_id": RULE_ID,
    "request_id": "5b0e7f0a-6a0e-5c1c-9d54-3b7a1f0c2d4e",
    "tx_hash": None,
    "created_at": AT,
}
RULE: Final = {
    "rule_id": RULE_ID,
    "basis_points": 100,
    "currency": "USD",
    "category": "lamps",
    "merchant": None,
    "from": "2026-01-01T00:00:00.000000Z",
    "until": None,
    "cap_per_user_month": "5000000",
    "min_amount": 1000,
    "is_active": True,
    "created_at": AT,
}
"""The examples of what is shown."""
