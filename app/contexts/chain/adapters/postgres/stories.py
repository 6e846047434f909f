"""What was signed as operators look at it: what is under way, what failed, and the transactions of one request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.chain.adapters.postgres.rows import OPEN
from app.platform.postgres.inspection import Session, found

_COLUMNS: Final = f"""
    SELECT t.request_id, t.recipient, t.amount::text, t.status, t.sender, t.nonce, t.tx_hash,
           t.max_fee_per_gas::text, t.max_priority_fee_per_gas::text, t.landed_hash, t.block_number, t.failure,
           t.signed_at, t.broadcast_at, t.created_at, t.updated_at,
           (SELECT count(*) FROM chain.blockchain_transactions o
            WHERE o.sender = t.sender AND o.nonce < t.nonce AND o.status IN {OPEN})
    FROM chain.blockchain_transactions t
"""
_OF: Final = f"{_COLUMNS} WHERE t.request_id = %(id)s"
_UNDER_WAY: Final = f"{_COLUMNS} WHERE t.status IN {OPEN} ORDER BY t.sender, t.nonce LIMIT %(limit)s"
# The table is walked: operators ask for it now and then.
_FAILED: Final = f"{_COLUMNS} WHERE t.status = 'FAILED' ORDER BY t.updated_at DESC LIMIT %(limit)s"
_EARLIER: Final = """
    SELECT tx_hash, sender, nonce, max_fee_per_gas::text, max_priority_fee_per_gas::text, reason, signed_at,
           superseded_at
    FROM chain.superseded_transactions WHERE request_id = %(id)s ORDER BY signed_at
"""
# As above; what was signed before has its index.
_BY_HASH: Final = """
    SELECT request_id FROM chain.superseded_transactions WHERE tx_hash = %(hash)s
    UNION ALL
    SELECT request_id FROM chain.blockchain_transactions WHERE tx_hash = %(hash)s OR landed_hash = %(hash)s
    LIMIT 1
"""
_CONTRACT: Final = "SELECT chain_id, address, first_block, settled_block FROM chain.contracts"
_KEYS: Final = "SELECT address, next_nonce FROM chain.wallet_nonces ORDER BY address"


class MintStory(NamedTuple):
    """A request, with the transaction that was signed for it last, and how many before it are still under way."""

    request_id: UUID
    recipient: str
    amount: str
    status: str
    sender: str | None
    nonce: int | None
    tx_hash: str | None
    max_fee_per_gas: str | None
    max_priority_fee_per_gas: str | None
    landed_hash: str | None
    block_number: int | None
    failure: str | None
    signed_at: datetime | None
    broadcast_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ahead: int


class Earlier(NamedTuple):
    """A transaction in whose place another one was signed, and why. Either may land."""

    tx_hash: str
    sender: str
    nonce: int
    max_fee_per_gas: str
    max_priority_fee_per_gas: str
    reason: str
    signed_at: datetime
    superseded_at: datetime


class Kept(NamedTuple):
    """The contract that is minted on; up to the settled block all of its events are noted."""

    chain_id: int
    address: str
    first_block: int
    settled_block: int


async def mint_of(session: Session, request_id: UUID) -> MintStory | None:
    """What was signed for the request."""
    rows = await found(session, _OF, {"id": request_id})
    return MintStory(*rows[0]) if rows else None


async def earlier_of(session: Session, request_id: UUID) -> Sequence[Earlier]:
    """What was signed for it before, the first first."""
    return [Earlier(*row) for row in await found(session, _EARLIER, {"id": request_id})]


async def under_way(session: Session, limit: int) -> Sequence[MintStory]:
    """The mints that are not final, by their nonces."""
    return [MintStory(*row) for row in await found(session, _UNDER_WAY, {"limit": limit})]


async def failed(session: Session, limit: int) -> Sequence[MintStory]:
    """Those that failed, the newest first."""
    return [MintStory(*row) for row in await found(session, _FAILED, {"limit": limit})]


async def request_of(session: Session, tx_hash: str) -> UUID | None:
    """The request that the transaction was signed for, or that it minted."""
    rows = await found(session, _BY_HASH, {"hash": tx_hash})
    return rows[0][0] if rows else None


async def contract_of(session: Session) -> Kept | None:
    """The contract, once there is one."""
    rows = await found(session, _CONTRACT, {})
    return Kept(*rows[0]) if rows else None


async def nonces_of(session: Session) -> Sequence[tuple[str, int]]:
    """The keys that something was signed with, each with the nonce that it gives out next."""
    return [(address, nonce) for address, nonce in await found(session, _KEYS, {})]
