"""What was signed, in the database: as those who sign and send see it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from app.contexts.chain.adapters.postgres.nonces import given_out, locking, see_contract
from app.contexts.chain.adapters.postgres.rows import STANDING_COLUMNS, standing_of
from app.contexts.chain.application.ports import Standing
from app.contexts.chain.domain.mint import Mint, MintOrder, MintStatus
from app.contexts.chain.domain.transactions import Signed
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Call, Row, Statement, columns, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import Transactions

KNOWN: Final = Statement(f"""
    SELECT {STANDING_COLUMNS} FROM chain.blockchain_transactions t WHERE t.request_id = ANY(%b::uuid[])
""")
# A request id that is there meanwhile, signed with another key, is a conflict: the batch runs again, and finds it.
_SIGN: Final = Statement("""
    INSERT INTO chain.blockchain_transactions
        (request_id, recipient, amount, status, sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas,
         signed_at)
    SELECT n.request_id, n.recipient, n.amount::numeric, 'SIGNED', n.sender, n.nonce, n.raw, n.tx_hash,
           n.most::numeric, n.tip::numeric, clock_timestamp()
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::text[],
                %b::text[])
        AS n (request_id, recipient, amount, sender, nonce, raw, tx_hash, most, tip)
""")
TAKEN: Final = Statement("""
    UPDATE chain.blockchain_transactions t
    SET broadcast_at = clock_timestamp(), updated_at = clock_timestamp(),
        status = CASE WHEN t.status = 'SIGNED' THEN 'BROADCAST' ELSE t.status END
    FROM (
        SELECT b.request_id FROM chain.blockchain_transactions b
        JOIN unnest(%b::text[], %b::bigint[], %b::text[]) AS n (sender, nonce, tx_hash)
            ON b.sender = n.sender AND b.nonce = n.nonce AND b.tx_hash = n.tx_hash
        WHERE b.status IN ('SIGNED', 'BROADCAST')
        ORDER BY b.request_id
        FOR UPDATE OF b
    ) taken
    WHERE t.request_id = taken.request_id
""")


class PostgresSigning:
    """It implements `Books` and `Broadcasts`. Nothing is signed for another chain or contract than ours."""

    def __init__(self, pool: Pool, chain_id: int, contract: str) -> None:
        self._pool = pool
        self._transactions = Transactions(pool)
        self._chain_id = chain_id
        self._contract = contract

    async def known(self, requests: Sequence[UUID]) -> Mapping[UUID, Standing]:
        """See `Books.known`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(KNOWN, (list(requests),))])
        return _by_request(rows)

    async def sign(
        self, sender: str, floor: int, orders: Sequence[MintOrder], sign: Callable[[MintOrder, int], Signed]
    ) -> Mapping[UUID, Standing]:
        """See `Books.sign`."""
        ids = [order.request_id for order in orders]
        async with self._transactions.open() as transaction:
            (*_, nonces, contract, rows), _ = await transaction.begin(*locking(sender, floor), (KNOWN, (ids,)))
            see_contract(contract, self._chain_id, self._contract)
            known = dict(_by_request(rows))
            new = [order for order in orders if order.request_id not in known]
            first, calls = given_out(sender, nonces[0][0], floor, len(new))
            signed = [(order, sign(order, nonce)) for nonce, order in enumerate(new, first)]
            if signed:
                await transaction.commit([*calls, _keep(signed)])
        for order, transaction_of_it in signed:
            mint = Mint(order, MintStatus.SIGNED, transaction_of_it.tx_hash)
            known[order.request_id] = Standing(mint, transaction_of_it)
        return known

    @writing
    async def taken(self, transactions: Sequence[Signed]) -> None:
        """See `Broadcasts.taken`."""
        named = [(each.sender, each.nonce, each.tx_hash) for each in transactions]
        async with session(self._pool) as connection:
            await run(connection, [(TAKEN, columns(named))])


def _keep(signed: Sequence[tuple[MintOrder, Signed]]) -> Call:
    return _SIGN, columns(
        [
            (order.request_id, order.to, str(order.amount), each.sender, each.nonce, each.raw, each.tx_hash,
             str(each.fees.most), str(each.fees.tip))
            for order, each in signed
        ]
    )  # fmt: skip


def _by_request(rows: Sequence[Row]) -> Mapping[UUID, Standing]:
    return {row[0]: standing_of(row) for row in rows}
