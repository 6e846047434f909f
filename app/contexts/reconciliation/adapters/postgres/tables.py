"""What reconciliation keeps in the database: that of payments, with whose rows it compares."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "reconciliation"

OF_A_TENANT: Final = ("runs", "findings", "carried", "reported")
"""The tables whose rows are seen and written by their tenant alone."""

RECONCILIATION: Final = Tables(
    Path(__file__).parents[5] / "migrations/reconciliation",
    (
        *PUBLIC,
        table("runs", "SELECT", "INSERT", updates=("unresolved",), schema=SCHEMA),
        table("findings", "SELECT", "INSERT", updates=("resolved_at", "note"), schema=SCHEMA),
        table("carried", "SELECT", "INSERT", updates=("taken_by",), schema=SCHEMA),
        table("reported", "SELECT", "INSERT", schema=SCHEMA),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
