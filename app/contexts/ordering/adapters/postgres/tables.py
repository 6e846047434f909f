"""What carts and orders keep in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "ordering"

OF_A_TENANT: Final = ("carts", "cart_items", "checkouts", "orders")
"""The tables whose rows are seen and written by their tenant alone."""

_OF_AN_ORDER = (
    "status",
    "fee",
    "hold_id",
    "tracking",
    "closing",
    "closing_by",
    "closing_at",
    "recover_after",
    "reason",
    "updated_at",
    "paid_at",
    "shipped_at",
)

ORDERING: Final = Tables(
    Path(__file__).parents[5] / "migrations/ordering",
    (
        *PUBLIC,
        table("carts", "SELECT", "INSERT", updates=("currency", "status", "checkout_id", "updated_at"), schema=SCHEMA),
        table("cart_items", "SELECT", "INSERT", "DELETE", updates=("title", "price", "qty"), schema=SCHEMA),
        table("checkouts", "SELECT", "INSERT", updates=("status", "recover_after", "updated_at"), schema=SCHEMA),
        table("orders", "SELECT", "INSERT", updates=_OF_AN_ORDER, schema=SCHEMA),
        table("v1_idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
