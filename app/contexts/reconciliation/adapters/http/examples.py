"""What requests about reconciliations are answered with, for instance."""

from typing import Final

RUN_ID: Final = "0193a5b2-7c4e-7d31-8a1b-2c3d4e5f6071"
FINDING_ID: Final = "5b0e7f0a-6a0e-4c1c-9d54-3b7a1f0c2d4e"
PAYMENT_ID: Final = "0193a5b2-7c4e-7d32-9b2c-3d4e5f607182"
CHARGE_ID: Final = "7e1d2c3b-4a59-4687-9605-f4e3d2c1b0a9"
AT: Final = "2026-02-01T00:30:00.000000Z"
THEIR_AT: Final = "2026-01-31T12:00:00.000000Z"
REPORT: Final = f"""\
type,charge_id,payment_id,refund_id,amount,currency,occurred_at
charge,{CHARGE_ID},{PAYMENT_ID},,1250,USD,2026-01-31T12:00:00Z
"""
RUN: Final = {
    "reconciliation_id": RUN_ID,
    "date": "2026-01-31",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "lines": 1,
    "matched": 0,
    "carried": 0,
    "findings": 1,
    "created_at": AT,
}
FINDING: Final = {
    "finding_id": FINDING_ID,
    "kind": "amount_differs",
    "payment_id": PAYMENT_ID,
    "refund_id": None,
    "ours": {"status": "APPROVED", "amount": 1200, "currency": "USD", "finalized_at": THEIR_AT},
    "theirs": {"charge_id": CHARGE_ID, "amount": 1250, "currency": "USD", "occurred_at": THEIR_AT},
    "line": 2,
    "resolved_at": None,
    "note": None,
}
NOTE: Final = "the gateway has given the 50 cents back, ticket 4711"
RESOLVED: Final = FINDING | {"resolved_at": "2026-02-01T09:00:00.000000Z", "note": NOTE}
