"""Rows of what was signed, as values."""

from collections.abc import Sequence
from typing import Any, Final

from app.contexts.chain.application.ports import Standing
from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.domain.mint import Mint, MintOrder, MintStatus
from app.contexts.chain.domain.transactions import Landing, OpenMint, Signed
from app.platform.postgres.pipeline import Row

OPEN: Final = "('SIGNED', 'BROADCAST', 'MINED')"
_ORDER: Final = "t.request_id, t.recipient, t.amount::text"
_SIGNED: Final = "t.sender, t.nonce, t.raw, t.tx_hash, t.max_fee_per_gas::text, t.max_priority_fee_per_gas::text"

STANDING_COLUMNS: Final = f"{_ORDER}, t.status, coalesce(t.landed_hash, t.tx_hash), t.failure, {_SIGNED}"
OPEN_COLUMNS: Final = f"""
    {_ORDER}, t.status, {_SIGNED}, t.landed_hash, t.block_number,
    extract(epoch FROM clock_timestamp() - t.signed_at)::float8,
    extract(epoch FROM clock_timestamp() - t.broadcast_at)::float8,
    ARRAY(SELECT s.tx_hash FROM chain.superseded_transactions s WHERE s.request_id = t.request_id)
"""
SIGNED_COLUMNS: Final = _SIGNED


def standing_of(row: Row) -> Standing:
    """How far a mint is, of `STANDING_COLUMNS`."""
    order, status = order_of(row), MintStatus(row[3])
    mint = Mint(order, status, row[4], row[5])
    return Standing(mint, signed_of(row[6:]) if status is MintStatus.SIGNED else None)


def open_mint_of(row: Row) -> OpenMint:
    """A mint that is not final, of `OPEN_COLUMNS`."""
    *_, landed_hash, block, signed_s_ago, broadcast_s_ago, earlier = row
    landing = None if landed_hash is None else Landing(landed_hash, block)
    return OpenMint(
        order_of(row), MintStatus(row[3]), signed_of(row[4:10]), tuple(earlier), landing, signed_s_ago, broadcast_s_ago
    )


def order_of(row: Sequence[Any]) -> MintOrder:
    """What was asked for."""
    return MintOrder(row[0], row[1], int(row[2]))


def signed_of(row: Sequence[Any]) -> Signed:
    """A transaction, of `SIGNED_COLUMNS`."""
    sender, nonce, raw, tx_hash, most, tip = row
    return Signed(sender, nonce, bytes(raw), tx_hash, Fees(int(most), int(tip)))
