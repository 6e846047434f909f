"""What rewards keep in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "rewards"
LEDGER: Final = "rewards.cashback_ledger"
INBOX: Final = "rewards.processed_events"

OF_A_TENANT: Final = ("rules", "users", "purchases", "refunds", "entries", "cashback_ledger")
"""The tables whose rows are seen and written by their tenant alone."""

_OF_A_RULE = (
    "basis_points",
    "currency",
    "category",
    "merchant",
    "starts_at",
    "ends_at",
    "cap",
    "min_amount",
    "is_active",
    "updated_at",
)
_OF_A_USER = ("address", "heard", "accrued", "minting", "minted", "debt", "updated_at")
_OF_AN_ENTRY = ("reversed", "accrued", "minting", "minted", "attempt", "told")

REWARDS: Final = Tables(
    Path(__file__).parents[5] / "migrations/rewards",
    (
        *PUBLIC,
        table("processed_events", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("parked_events", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("parked_refunds", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("whereabouts", "SELECT", "INSERT", updates=("tenant",), schema=SCHEMA),
        table("rules", "SELECT", "INSERT", updates=_OF_A_RULE, schema=SCHEMA),
        table("users", "SELECT", "INSERT", updates=_OF_A_USER, schema=SCHEMA),
        table("purchases", "SELECT", "INSERT", schema=SCHEMA),
        table("refunds", "SELECT", "INSERT", schema=SCHEMA),
        table("entries", "SELECT", "INSERT", updates=_OF_AN_ENTRY, schema=SCHEMA),
        table("cashback_ledger", "SELECT", "INSERT", schema=SCHEMA),
        table("v1_idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
    append_only=(LEDGER,),
)
