"""What was signed with nonces of old, in the database: as what fills them sees it."""

from collections.abc import Sequence
from typing import Final

from app.contexts.chain.adapters.postgres.nonces import locking, see_contract
from app.contexts.chain.adapters.postgres.rows import OPEN, SIGNED_COLUMNS, order_of, signed_of
from app.contexts.chain.application.fill import Old
from app.contexts.chain.domain.transactions import Signed
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Row, Statement, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import Transactions

_SIGNED: Final = "sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas, signed_at"
_OF: Final = "WHERE sender = %b::text AND nonce >= %b::bigint AND nonce < %b::bigint"
# The one with the highest fees is the newest, and the one that a node has.
OLD: Final = Statement(f"""
    SELECT DISTINCT ON (t.nonce) b.request_id, b.recipient, b.amount::text, t.is_the_contract, {SIGNED_COLUMNS}
    FROM (
        SELECT {_SIGNED}, request_id, false AS is_the_contract FROM chain.superseded_transactions {_OF}
        UNION ALL
        SELECT {_SIGNED}, request_id, false FROM chain.blockchain_transactions {_OF} AND status NOT IN {OPEN}
        UNION ALL
        SELECT {_SIGNED}, NULL, false FROM chain.filling_transactions {_OF}
        UNION ALL
        SELECT sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas, created_at, NULL, true
        FROM chain.contracts {_OF}
    ) t
    LEFT JOIN chain.blockchain_transactions b ON b.request_id = t.request_id
    ORDER BY t.nonce, t.max_fee_per_gas DESC, t.signed_at DESC
""")
_FILL: Final = Statement("""
    INSERT INTO chain.filling_transactions
        (sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas)
    VALUES (%b::text, %b::bigint, %b::bytea, %b::text, %b::text::numeric, %b::text::numeric)
""")
_FILL_AGAIN: Final = Statement("""
    INSERT INTO chain.superseded_transactions
        (sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas, request_id, signed_at, reason)
    VALUES (%b::text, %b::bigint, %b::bytea, %b::text, %b::text::numeric, %b::text::numeric, %b::uuid,
            clock_timestamp(), 'filling')
""")


class PostgresFilling:
    """It implements `Filling`."""

    def __init__(self, pool: Pool, chain_id: int, contract: str) -> None:
        self._pool = pool
        self._transactions = Transactions(pool)
        self._chain_id = chain_id
        self._contract = contract

    @reading
    async def old(self, sender: str, first: int, behind: int) -> Sequence[Old]:
        """See `Filling.old`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [_old(sender, first, behind)])
        return [_old_of(row) for row in rows]

    @writing
    async def fill(self, sender: str, instead: Old | None, by: Signed) -> bool:
        """See `Filling.fill`. The nonce's row is held, as by whoever signs with it."""
        order = instead.order if instead else None
        signed = (by.sender, by.nonce, by.raw, by.tx_hash, str(by.fees.most), str(by.fees.tip))
        async with self._transactions.open() as transaction:
            (*_, nonces, contract, rows), _ = await transaction.begin(
                *locking(sender, by.nonce + 1), _old(sender, by.nonce, by.nonce + 1)
            )
            see_contract(contract, self._chain_id, self._contract)
            newest = _old_of(rows[0]) if rows else None
            if newest != instead or by.nonce >= nonces[0][0]:
                return False
            await transaction.commit([(_FILL, signed) if order is None else (_FILL_AGAIN, (*signed, order.request_id))])
        return True


def _old(sender: str, first: int, behind: int) -> Call:
    return OLD, 4 * (sender, first, behind)


def _old_of(row: Row) -> Old:
    order = None if row[0] is None else order_of(row)
    return Old(signed_of(row[4:]), order, is_the_contract=row[3])
