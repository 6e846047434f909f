"""The contract, in the database, and what is restored from its events."""

from collections.abc import Callable, Sequence
from typing import Final

from app.contexts.chain.adapters.postgres.nonces import given_out, locking, see_contract
from app.contexts.chain.adapters.postgres.rows import SIGNED_COLUMNS, signed_of
from app.contexts.chain.application.ports import Contract, Deployment
from app.contexts.chain.domain.transactions import Minted, Signed
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Row, Statement, columns, run
from app.platform.postgres.pool import Pool, session
from app.platform.postgres.transactions import Transactions

_KEPT: Final = Statement(f"""
    SELECT t.chain_id, t.address, t.first_block, t.settled_block, {SIGNED_COLUMNS} FROM chain.contracts t
""")
_ADOPT: Final = Statement("""
    INSERT INTO chain.contracts (chain_id, address, first_block, settled_block)
    VALUES (%b::bigint, %b::text, %b::bigint, %b::bigint)
    ON CONFLICT (is_the_one) DO NOTHING
""")
_KEEP: Final = Statement("""
    INSERT INTO chain.contracts
        (chain_id, address, first_block, settled_block, sender, nonce, raw, tx_hash, max_fee_per_gas,
         max_priority_fee_per_gas)
    VALUES (%b::bigint, %b::text, %b::bigint, %b::bigint, %b::text, %b::bigint, %b::bytea, %b::text,
            %b::text::numeric, %b::text::numeric)
    ON CONFLICT (is_the_one) DO UPDATE
    SET address = excluded.address, first_block = excluded.first_block, settled_block = excluded.settled_block,
        sender = excluded.sender, nonce = excluded.nonce, raw = excluded.raw, tx_hash = excluded.tx_hash,
        max_fee_per_gas = excluded.max_fee_per_gas, max_priority_fee_per_gas = excluded.max_priority_fee_per_gas
""")
_LOST: Final = Statement("""
    INSERT INTO chain.foreign_nonces (address, first_nonce, last_nonce) VALUES (%b::text, %b::bigint, %b::bigint)
""")
_REPLACE: Final = Statement("""
    UPDATE chain.contracts
    SET raw = %b::bytea, tx_hash = %b::text, max_fee_per_gas = %b::text::numeric,
        max_priority_fee_per_gas = %b::text::numeric
    WHERE tx_hash = %b::text
""")
_RESTORE: Final = Statement("""
    INSERT INTO chain.blockchain_transactions (request_id, recipient, amount, status, landed_hash, block_number)
    SELECT n.request_id, n.recipient, n.amount::numeric, 'CONFIRMED', n.tx_hash, n.block
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::bigint[])
        AS n (request_id, recipient, amount, tx_hash, block)
    ON CONFLICT (request_id) DO NOTHING
    RETURNING request_id
""")


class PostgresContracts:
    """It implements `Deployments` and `Restoring`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transactions = Transactions(pool)

    @reading
    async def kept(self) -> Deployment | None:
        """See `Deployments.kept`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(_KEPT, ())])
        return _deployment_of(rows[0]) if rows else None

    @writing
    async def adopt(self, contract: Contract) -> None:
        """See `Deployments.adopt`."""
        async with session(self._pool) as connection:
            await run(connection, [(_ADOPT, _columns_of(contract))])

    @writing
    async def sign(
        self, sender: str, floor: int, old: Deployment | None, sign: Callable[[int], Deployment]
    ) -> Deployment:
        """See `Deployments.sign`."""
        async with self._transactions.open() as transaction:
            (*_, nonces, _, rows), _ = await transaction.begin(*locking(sender, floor), (_KEPT, ()))
            kept = _deployment_of(rows[0]) if rows else None
            if kept is not None and (old is None or kept.contract.address != old.contract.address):
                return kept  # somebody else was first
            nonce, calls = given_out(sender, nonces[0][0], floor, 1)
            new = sign(nonce)
            assert new.signed is not None
            keep = _KEEP, (*_columns_of(new.contract), sender, nonce, *_bytes_of(new.signed))
            await transaction.commit([*calls, *_of_nobody(old), keep])
        return new

    @writing
    async def replace(self, old: Deployment, by: Signed) -> None:
        """See `Deployments.replace`."""
        assert old.signed is not None
        async with session(self._pool) as connection:
            await run(connection, [(_REPLACE, (*_bytes_of(by), old.signed.tx_hash))])

    @writing
    async def restore(self, contract: Contract, events: Sequence[Minted]) -> int:
        """See `Restoring.restore`."""
        restored = [
            (
                event.order.request_id,
                event.order.to,
                str(event.order.amount),
                event.landing.tx_hash,
                event.landing.block,
            )
            for event in events
        ]
        async with session(self._pool) as connection:
            _, (kept,) = await run(connection, [(_ADOPT, _columns_of(contract)), (_KEPT, ())])
            see_contract([kept[:2]], contract.chain_id, contract.address)
            if not restored:
                return 0
            (new,) = await run(connection, [(_RESTORE, columns(restored))])
        return len(new)

    @writing
    async def restore_nonce(self, contract: Contract, sender: str, pending: int) -> int:
        """See `Restoring.restore_nonce`."""
        async with self._transactions.open() as transaction:
            (_, nonces, kept), _ = await transaction.begin(*locking(sender, pending))
            if kept:
                see_contract(kept, contract.chain_id, contract.address)
            next_nonce, calls = given_out(sender, nonces[0][0], pending, 0)
            await transaction.commit(calls)
        return next_nonce


def _deployment_of(row: Row) -> Deployment:
    return Deployment(Contract(*row[:4]), None if row[4] is None else signed_of(row[4:]))


def _bytes_of(signed: Signed) -> tuple[bytes, str, str, str]:
    return signed.raw, signed.tx_hash, str(signed.fees.most), str(signed.fees.tip)


def _columns_of(contract: Contract) -> tuple[int, str, int, int]:
    return contract.chain_id, contract.address, contract.first_block, contract.settled_block


def _of_nobody(old: Deployment | None) -> list[Call]:
    """The nonce of one that never came to be was spent by somebody else."""
    if old is None or old.signed is None:
        return []
    return [(_LOST, (old.signed.sender, old.signed.nonce, old.signed.nonce))]
