"""What minting keeps in the database."""

from pathlib import Path
from typing import Final

from app.platform.messaging.inbox import Inbox
from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "mint"
INBOX: Final = Inbox(f"{SCHEMA}.processed_events")

_OF_A_REQUEST = ("status", "tx_hash", "reason", "ask_after", "submitted_at", "settled_at")

MINT: Final = Tables(
    Path(__file__).parents[5] / "migrations/mint",
    (
        *PUBLIC,
        table("processed_events", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("mint_requests", "SELECT", "INSERT", updates=_OF_A_REQUEST, schema=SCHEMA),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
