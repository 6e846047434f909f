"""What the chain's adapter keeps in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres.grants import PUBLIC, Granted, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "chain"

_SIGNED: Final = ("sender", "nonce", "raw", "tx_hash", "max_fee_per_gas", "max_priority_fee_per_gas")
_OF_A_CONTRACT: Final = ("address", "first_block", "settled_block", *_SIGNED)
_OF_A_MINT: Final = (
    "status", *_SIGNED, "landed_hash", "block_number", "failure", "signed_at", "broadcast_at", "updated_at"
)  # fmt: skip

CHAIN: Final = Tables(
    Path(__file__).parents[5] / "migrations/chain",
    (
        *PUBLIC,
        Granted("SCHEMA", SCHEMA, "", ("USAGE",)),
        table("contracts", "SELECT", "INSERT", updates=_OF_A_CONTRACT, schema=SCHEMA),
        table("wallet_nonces", "SELECT", "INSERT", updates=("next_nonce",), schema=SCHEMA),
        table("foreign_nonces", "SELECT", "INSERT", schema=SCHEMA),
        table("blockchain_transactions", "SELECT", "INSERT", updates=_OF_A_MINT, schema=SCHEMA),
        table("superseded_transactions", "SELECT", "INSERT", schema=SCHEMA),
        table("filling_transactions", "SELECT", "INSERT", schema=SCHEMA),
    ),
)
