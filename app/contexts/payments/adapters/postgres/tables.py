"""What payments keep in the database. The first migration of funds made these tables, too."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, Granted, of_an_outbox, table
from app.platform.postgres.home import Tables

PAYMENTS: Final = Tables(
    Path(__file__).parents[5] / "migrations/payments",
    (
        *PUBLIC,
        table("service_providers", "SELECT", "INSERT", updates=("is_active",)),
        table(
            "payments",
            "SELECT",
            "INSERT",
            updates=("status", "failure_code", "void_requested_at", "recover_after", "finalized_at"),
        ),
        table("idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        table("v1_idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        table(
            "refunds",
            "SELECT",
            "INSERT",
            updates=("status", "failure_code", "recover_after", "finalized_at"),
            schema="payments",
        ),
        *of_an_outbox("payments"),
        # What processes of the version before 0005 know of it.
        table("outbox_events", "SELECT", "INSERT", "UPDATE", "DELETE"),
        Granted("SEQUENCE", "public", "outbox_events_id_seq", ("SELECT",)),
        table("outbox_leases", "SELECT", "UPDATE"),
    ),
    (numbering.of_an_outbox("payments"),),
)
