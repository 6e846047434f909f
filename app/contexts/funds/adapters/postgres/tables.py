"""What funds keep in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

FUNDS: Final = Tables(
    Path(__file__).parents[5] / "migrations/funds",
    (
        *PUBLIC,
        table("wallet_balances", "SELECT", "INSERT", updates=("current_balance", "held", "version", "updated_at")),
        table("transactions", "SELECT", "INSERT", updates=("status",)),
        table("ledger_entries", "SELECT", "INSERT"),
        table("operations", "SELECT", "INSERT", updates=("answer",)),
        table(
            "holds",
            "SELECT",
            "INSERT",
            updates=("amount", "captured", "released", "status", "version", "capture_fingerprint", "closed_at"),
        ),
        table("v1_idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        *of_an_outbox("funds"),
    ),
    (numbering.of_an_outbox("funds"),),
    append_only=("ledger_entries",),
)
