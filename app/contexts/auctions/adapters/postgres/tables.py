"""What auctions keep in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "auctions"
BIDS: Final = "auctions.bids"
EVENTS: Final = "auctions.events"

OF_A_TENANT: Final = ("auctions", "bidders", "bids", "openings", "intents", "returns", "events")
"""The tables whose rows are seen and written by their tenant alone."""

_OF_AN_AUCTION = (
    "ends_at",
    "status",
    "price",
    "second_max",
    "bid_count",
    "bidder_count",
    "last_event_id",
    "leader_id",
    "leader_ordinal",
    "leader_bid_id",
    "leader_max",
    "leader_hold_id",
    "raising_bid_id",
    "closing",
    "closing_by",
    "closing_at",
    "winner_id",
    "winner_hold_id",
    "sold_price",
    "buyer_key",
    "order_id",
    "closed_at",
    "recover_after",
    "updated_at",
)
_OF_AN_INTENT = ("kind", "hold_id", "status", "recover_after")

AUCTIONS: Final = Tables(
    Path(__file__).parents[5] / "migrations/auctions",
    (
        *PUBLIC,
        table("auctions", "SELECT", "INSERT", updates=_OF_AN_AUCTION, schema=SCHEMA),
        table("bidders", "SELECT", "INSERT", schema=SCHEMA),
        table("bids", "SELECT", "INSERT", schema=SCHEMA),
        table("openings", "SELECT", "INSERT", "DELETE", updates=("status", "recover_after"), schema=SCHEMA),
        table("intents", "SELECT", "INSERT", "DELETE", updates=_OF_AN_INTENT, schema=SCHEMA),
        table("returns", "SELECT", "INSERT", "DELETE", updates=("recover_after",), schema=SCHEMA),
        table("events", "SELECT", "INSERT", schema=SCHEMA),
        table("v1_idempotency_keys", "SELECT", "INSERT", "UPDATE", "DELETE"),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
    append_only=(BIDS, EVENTS),
)
