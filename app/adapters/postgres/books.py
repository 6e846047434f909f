"""The unit of work over the books: two round trips a batch, whatever its size.

The first begins the transaction, claims or locks, in the one order that all works keep (keys, payments, wallets, each
by primary key), and reads the clock once the locks are held. The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, AsyncCursor, pq
from psycopg.errors import Diagnostic

from app.adapters.postgres import changes as writing
from app.adapters.postgres.errors import NotReplicated, Retry
from app.adapters.postgres.pool import (
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Pool,
    lock_patience_ms,
    session,
)
from app.adapters.postgres.rows import PAYMENT_COLUMNS, key_record, payment_of
from app.application.ports import (
    Answer,
    Changes,
    Claimed,
    Held,
    KeyRecord,
    KeyScope,
    Opened,
    PaymentRequest,
    WalletId,
)
from app.domain.ids import PaymentId, UserId
from app.domain.money import Currency
from app.domain.payments.payment import Payment
from app.domain.wallets.wallet import Wallet

Row = tuple[Any, ...]
Cursor = AsyncCursor[Row]

# Behind a transaction pooler the session's settings are another client's: the transaction brings its own.
_LIMITS = f"""
    SELECT set_config('lock_timeout', %s::text, true),
           set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true),
           set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_TIMEOUT_MS}', true)
"""

# Sorted, so that two batches never wait for each other's keys crosswise. A claim that meets another's uncommitted one
# waits for it. Without its wallet or its provider a request claims nothing: that refusal leaves no trace.
_CLAIM = """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, payment_id, created_at)
    SELECT r.user_id, r.key, r.fingerprint, r.payment_id, now()
    FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::uuid[], %b::uuid[], %b::text[])
        AS r (user_id, key, fingerprint, payment_id, provider_id, currency)
    WHERE EXISTS (SELECT FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = r.currency)
        AND EXISTS (SELECT FROM service_providers p WHERE p.id = r.provider_id AND p.is_active)
    ORDER BY r.user_id, r.key COLLATE "C"
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING user_id, key
"""

# A statement of its own, behind the claim: the claim's snapshot cannot see the winner that it waited for.
_RECORDS = f"""
    SELECT k.user_id, k.key, k.fingerprint, k.response_status, k.response_body, {PAYMENT_COLUMNS}
    FROM unnest(%b::uuid[], %b::text[]) AS r (user_id, key)
    JOIN idempotency_keys k ON k.user_id = r.user_id AND k.key = r.key
    LEFT JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
"""

_ACTIVE_PROVIDERS = "SELECT id FROM service_providers WHERE id = ANY(%b::uuid[]) AND is_active"

_LOCK_WALLETS = """
    SELECT w.user_id, w.currency, w.current_balance, w.version
    FROM wallet_balances w
    WHERE (w.user_id, w.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY w.user_id, w.currency
    FOR UPDATE OF w
"""

_LOCK_KEYS = """
    SELECT k.payment_id, k.response_status, k.response_body
    FROM idempotency_keys k
    WHERE (k.user_id, k.key) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY k.user_id, k.key
    FOR UPDATE OF k
"""

_LOCK_PAYMENTS = f"""
    SELECT {PAYMENT_COLUMNS}
    FROM payments p
    WHERE (p.user_id, p.id) IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    ORDER BY p.user_id, p.id
    FOR UPDATE OF p
"""

_OPEN_WALLET = """
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    VALUES (%b, %b, 0, 0, clock_timestamp())
    ON CONFLICT (user_id, currency) DO NOTHING
"""

_PENDING_SUM = """
    SELECT coalesce(sum(amount), 0) FROM payments WHERE user_id = %b AND currency = %b AND status = 'PENDING'
"""

_FUNDED = "SELECT amount FROM transactions WHERE user_id = %b AND currency = %b AND reference = %b"

# Last of its pipeline: a time from before the locks could be older than what the last holder wrote.
_CLOCK = "SELECT clock_timestamp()"


class PostgresBooks:
    """The books in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresWork"]:
        """Begin a work on a connection of the pool. Leaving it without a commit undoes it."""
        async with session(self._pool) as connection:
            try:
                yield PostgresWork(connection)
            finally:
                if connection.pgconn.transaction_status in (
                    pq.TransactionStatus.INTRANS,
                    pq.TransactionStatus.INERROR,
                ):
                    await connection.rollback()


class PostgresWork:
    """One transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock their wallets."""
        async with self._connection.pipeline():
            await self._begin()
            claims = await self._execute(_CLAIM, _claim_columns(requests))
            wallets = await self._lock_wallets([(r.user_id, r.money.currency) for r in requests])
            clock = await self._execute(_CLOCK)
        won = frozenset((user_id, key) for user_id, key in await claims.fetchall())
        locked = _wallets(await wallets.fetchall())
        lost = [request for request in requests if request.scope not in won]
        records = await self._records(lost, locked) if lost else {}
        return Claimed(won, records, locked, await _now(clock))

    async def _records(
        self, requests: Sequence[PaymentRequest], wallets: Mapping[WalletId, Wallet]
    ) -> Mapping[KeyScope, KeyRecord]:
        async with self._connection.pipeline():
            rows = await self._execute(_RECORDS, ([r.user_id for r in requests], [r.key for r in requests]))
            active = await self._execute(_ACTIVE_PROVIDERS, ([r.provider_id for r in requests],))
        records = {(UserId(row[0]), row[1]): key_record(row[2:]) for row in await rows.fetchall()}
        providers = {row[0] for row in await active.fetchall()}
        for request in requests:
            has_all = (request.user_id, request.money.currency) in wallets and request.provider_id in providers
            if has_all and request.scope not in records:
                # Its old record was purged, or its wallet opened, between two of our statements.
                raise Retry
        return records

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        users = [payment.user_id for payment in payments]
        async with self._connection.pipeline():
            await self._begin()
            keys = await self._execute(_LOCK_KEYS, (users, [payment.idempotency_key for payment in payments]))
            rows = await self._execute(_LOCK_PAYMENTS, (users, [payment.id for payment in payments]))
            wallets = await self._lock_wallets([(p.user_id, p.money.currency) for p in refundable])
            clock = await self._execute(_CLOCK)
        answers = {
            PaymentId(payment_id): Answer(status, body)
            for payment_id, status, body in await keys.fetchall()
            if payment_id is not None and status is not None
        }
        held = {payment.id: payment for payment in map(payment_of, await rows.fetchall())}
        return Held(held, answers, _wallets(await wallets.fetchall()), await _now(clock))

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """Lock the wallet; there is one afterwards."""
        async with self._connection.pipeline():
            await self._begin()
            await self._execute(_OPEN_WALLET, (user_id, currency))
            wallets = await self._lock_wallets([(user_id, currency)])
            pending = await self._execute(_PENDING_SUM, (user_id, currency))
            funded = await self._execute(_FUNDED, (user_id, currency, reference))
            clock = await self._execute(_CLOCK)
        (wallet,) = _wallets(await wallets.fetchall()).values()
        pending_row, funded_row = await pending.fetchone(), await funded.fetchone()
        assert pending_row is not None
        return Opened(wallet, int(pending_row[0]), funded_row[0] if funded_row else None, await _now(clock))

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        severities: list[str | None] = []

        def note(said: Diagnostic) -> None:  # which can be read only now
            severities.append(said.severity_nonlocalized)

        self._connection.add_notice_handler(note)
        try:
            async with self._connection.pipeline():
                for statement, columns in writing.statements(changes):
                    await self._execute(statement, columns)
                await self._connection.execute("COMMIT")
        finally:
            self._connection.remove_notice_handler(note)
        if "WARNING" in severities:
            raise NotReplicated

    async def _begin(self) -> None:
        await self._connection.execute("BEGIN")
        await self._connection.execute(_LIMITS, (lock_patience_ms.get(),))

    async def _lock_wallets(self, wallets: Sequence[WalletId]) -> Cursor:
        return await self._execute(
            _LOCK_WALLETS, ([user_id for user_id, _ in wallets], [currency for _, currency in wallets])
        )

    async def _execute(self, statement: str, columns: Sequence[object] = ()) -> Cursor:
        return await self._connection.cursor(binary=True).execute(statement, columns)


def _claim_columns(requests: Sequence[PaymentRequest]) -> tuple[list[Any], ...]:
    columns = zip(
        *((r.user_id, r.key, r.fingerprint, r.payment_id, r.provider_id, r.money.currency) for r in requests),
        strict=True,
    )
    return tuple(list(column) for column in columns)


def _wallets(rows: Sequence[Row]) -> Mapping[WalletId, Wallet]:
    return {(UserId(user_id), Currency(code)): Wallet(user_id, code, *rest) for user_id, code, *rest in rows}


async def _now(clock: Cursor) -> datetime:
    row = await clock.fetchone()
    assert row is not None
    now = row[0]
    assert isinstance(now, datetime)
    return now
