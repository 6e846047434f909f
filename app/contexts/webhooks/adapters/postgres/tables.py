"""What webhooks keep in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "webhooks"

OF_A_TENANT: Final = ("endpoints", "endpoint_versions", "events", "deliveries", "attempts")
"""The tables whose rows are seen and written by their tenant alone."""

_OF_A_LANE = ("is_active", "strikes", "open_until", "failing_since", "wake_at")
_OF_AN_ENDPOINT = (
    "url",
    "types",
    "description",
    "status",
    "reason",
    "version",
    "told",
    "secret",
    "secret_before",
    "before_until",
    "updated_at",
)
_OF_A_DELIVERY = (
    "status",
    "round",
    "attempts",
    "leased",
    "next_attempt_at",
    "last_status",
    "last_error",
    "delivered_at",
)
_RIGHTS = ("SELECT", "INSERT", "DELETE")

WEBHOOKS: Final = Tables(
    Path(__file__).parents[5] / "migrations/webhooks",
    (
        *PUBLIC,
        table("houses", "SELECT", "INSERT", updates=("tenant",), schema=SCHEMA),
        table("lanes", *_RIGHTS, updates=_OF_A_LANE, schema=SCHEMA),
        table("endpoints", *_RIGHTS, updates=_OF_AN_ENDPOINT, schema=SCHEMA),
        table("endpoint_versions", *_RIGHTS, schema=SCHEMA),
        table("events", *_RIGHTS, schema=SCHEMA),
        table("deliveries", *_RIGHTS, updates=_OF_A_DELIVERY, schema=SCHEMA),
        table("attempts", *_RIGHTS, schema=SCHEMA),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
