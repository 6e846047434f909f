"""What identity keeps in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "identity"

OF_A_TENANT: Final = ("users", "nonces", "families", "refresh_tokens", "sessions", "clients")
"""The tables whose rows are seen and written by their tenant alone."""

_OF_A_USER = (
    "role",
    "username",
    "email",
    "wallet_address",
    "password_hash",
    "first_name",
    "last_name",
    "avatar_url",
    "phone",
    "email_verified",
    "is_active",
    "last_login_at",
    "version",
)

IDENTITY: Final = Tables(
    Path(__file__).parents[5] / "migrations/identity",
    (
        *PUBLIC,
        table("tenants", "SELECT", "INSERT", schema=SCHEMA),
        table("users", "SELECT", "INSERT", updates=_OF_A_USER, schema=SCHEMA),
        table("nonces", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("families", "SELECT", "INSERT", "DELETE", updates=("ended_at",), schema=SCHEMA),
        table("refresh_tokens", "SELECT", "INSERT", "DELETE", updates=("spent_at", "sealed_successor"), schema=SCHEMA),
        table("sessions", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table(
            "clients",
            "SELECT",
            "INSERT",
            updates=("secret_hash", "generation", "is_active", "rotated_at"),
            schema=SCHEMA,
        ),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
