"""What was signed and is not final, in the database: as the follower and the mender see it."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from app.contexts.chain.adapters.postgres.nonces import given_out, locking, see_contract
from app.contexts.chain.adapters.postgres.rows import OPEN, OPEN_COLUMNS, SIGNED_COLUMNS, open_mint_of
from app.contexts.chain.application.ports import Contract, Why
from app.contexts.chain.domain.transactions import Change, OpenMint, Signed
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Statement, columns, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import Transactions

MOST_OPEN: Final = 500
"""Mints with the lowest nonces that are looked at: those behind them wait for these in any case."""

_CONTRACT: Final = Statement("SELECT chain_id, address, first_block, settled_block FROM chain.contracts")
SENDERS: Final = Statement(f"""
    SELECT w.address FROM chain.wallet_nonces w
    WHERE EXISTS (SELECT FROM chain.blockchain_transactions t WHERE t.sender = w.address AND t.status IN {OPEN})
    ORDER BY w.address
""")
OPEN_MINTS: Final = Statement(f"""
    SELECT {OPEN_COLUMNS} FROM chain.blockchain_transactions t WHERE t.request_id IN (
        SELECT request_id FROM chain.blockchain_transactions WHERE request_id = ANY(%b::uuid[]) AND status IN {OPEN}
        UNION SELECT request_id FROM chain.blockchain_transactions WHERE status = 'MINED'
        UNION (
            SELECT request_id FROM chain.blockchain_transactions WHERE status IN {OPEN}
            ORDER BY sender, nonce LIMIT %b::bigint
        )
    )
    ORDER BY t.sender, t.nonce
""")
NOTE: Final = Statement(f"""
    UPDATE chain.blockchain_transactions t
    SET status = n.status, landed_hash = n.tx_hash, block_number = n.block, failure = n.failure,
        updated_at = clock_timestamp()
    FROM (
        SELECT c.* FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::bigint[], %b::text[])
            AS c (request_id, status, tx_hash, block, failure)
        JOIN chain.blockchain_transactions b USING (request_id)
        WHERE b.status IN {OPEN}
        ORDER BY request_id
        FOR UPDATE OF b
    ) n
    WHERE t.request_id = n.request_id
""")
_SETTLED: Final = Statement("""
    UPDATE chain.contracts SET settled_block = greatest(settled_block, %b::bigint)
""")
_REPLACE: Final = Statement(f"""
    WITH old AS (
        SELECT {SIGNED_COLUMNS}, t.request_id, t.signed_at FROM chain.blockchain_transactions t
        WHERE t.request_id = %b::uuid AND t.tx_hash = %b::text AND t.status IN {OPEN}
        FOR UPDATE
    ), kept AS (
        INSERT INTO chain.superseded_transactions
            (sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas, request_id, signed_at, reason)
        SELECT sender, nonce, raw, tx_hash, max_fee_per_gas::numeric, max_priority_fee_per_gas::numeric, request_id,
               signed_at, %b::text
        FROM old
        RETURNING request_id
    )
    UPDATE chain.blockchain_transactions t
    SET status = 'SIGNED', sender = %b::text, nonce = %b::bigint, raw = %b::bytea, tx_hash = %b::text,
        max_fee_per_gas = %b::text::numeric, max_priority_fee_per_gas = %b::text::numeric,
        landed_hash = NULL, block_number = NULL,
        signed_at = clock_timestamp(), broadcast_at = NULL, updated_at = clock_timestamp()
    FROM kept WHERE t.request_id = kept.request_id
    RETURNING t.request_id
""")
_STANDS: Final = Statement(f"""
    SELECT FROM chain.blockchain_transactions
    WHERE request_id = %b::uuid AND tx_hash = %b::text AND status IN {OPEN} FOR UPDATE
""")


class PostgresFollowing:
    """It implements `Kept` and `Mending`."""

    def __init__(self, pool: Pool, chain_id: int, contract: str) -> None:
        self._pool = pool
        self._transactions = Transactions(pool)
        self._chain_id = chain_id
        self._contract = contract

    @reading
    async def contract(self) -> tuple[Contract, Sequence[str]]:
        """See `Kept.contract`."""
        async with session(self._pool) as connection:
            contracts, senders = await run(connection, [(_CONTRACT, ()), (SENDERS, ())])
        see_contract([row[:2] for row in contracts], self._chain_id, self._contract)
        return Contract(*contracts[0]), [sender for (sender,) in senders]

    @reading
    async def open(self, requests: Sequence[UUID]) -> Sequence[OpenMint]:
        """See `Kept.open`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(OPEN_MINTS, (list(requests), MOST_OPEN))])
        return [open_mint_of(row) for row in rows]

    @writing
    async def note(self, changes: Sequence[Change], settled: int) -> None:
        """See `Kept.note`."""
        calls: list[Call] = [(NOTE, columns([_columns_of(each) for each in changes]))] if changes else []
        async with self._transactions.open() as transaction:
            await transaction.begin()
            await transaction.commit([*calls, (_SETTLED, (settled,))])

    @writing
    async def replace(self, mint: OpenMint, by: Signed) -> bool:
        """See `Mending.replace`. The nonce's row is held, as by whoever signs with it."""
        stands = _STANDS, (mint.order.request_id, mint.signed.tx_hash)
        async with self._transactions.open() as transaction:
            (*_, contract, found), _ = await transaction.begin(*locking(by.sender, by.nonce), stands)
            see_contract(contract, self._chain_id, self._contract)
            if found:
                await transaction.commit([_in_place_of(mint, by, "stuck")])
        return bool(found)

    @writing
    async def sign_again(
        self, mint: OpenMint, why: Why, sender: str, floor: int, sign: Callable[[int], Signed]
    ) -> Signed | None:
        """See `Mending.sign_again`."""
        stands = _STANDS, (mint.order.request_id, mint.signed.tx_hash)
        async with self._transactions.open() as transaction:
            (*_, nonces, contract, found), _ = await transaction.begin(*locking(sender, floor), stands)
            see_contract(contract, self._chain_id, self._contract)
            if not found:
                return None
            nonce, calls = given_out(sender, nonces[0][0], floor, 1)
            signed = sign(nonce)
            await transaction.commit([*calls, _in_place_of(mint, signed, why.value)])
            return signed


def _columns_of(change: Change) -> tuple[object, ...]:
    landing = change.landing
    return (
        change.request_id, change.status.value, landing and landing.tx_hash, landing and landing.block, change.failure
    )  # fmt: skip


def _in_place_of(mint: OpenMint, by: Signed, reason: str) -> Call:
    return _REPLACE, (
        mint.order.request_id, mint.signed.tx_hash, reason, by.sender, by.nonce, by.raw, by.tx_hash,
        str(by.fees.most), str(by.fees.tip),
    )  # fmt: skip
