"""The unit of work over the books: two round trips a batch, whatever its size.

The first begins the transaction, claims or locks, in the one order that all works keep (keys, payments, wallets, each
by user first), and reads the clock once the locks are held. The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import chain
from typing import Any

from psycopg import AsyncConnection, pq
from psycopg.errors import Diagnostic

from app.adapters.postgres import changes as writing
from app.adapters.postgres.errors import NotReplicated, Retry
from app.adapters.postgres.pipeline import Call, Row, Statement, run
from app.adapters.postgres.plans import PLAN_ANEW, Plans
from app.adapters.postgres.pool import (
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Pool,
    has_own_session,
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

# For a transaction with another patience than its session's, and for those behind a pooler, where a session's settings
# are another client's.
_LIMITS = Statement(f"""
    SELECT set_config('lock_timeout', %b::text, true),
           set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true),
           set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_TIMEOUT_MS}', true)
""")

# Sorted, so that two batches never wait for each other's keys crosswise. A claim that meets another's uncommitted one
# waits for it. Without its wallet or its provider a request claims nothing: that refusal leaves no trace.
_CLAIM = Statement("""
    INSERT INTO idempotency_keys (user_id, key, fingerprint, payment_id, created_at)
    SELECT r.user_id, r.key, r.fingerprint, r.payment_id, now()
    FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::uuid[], %b::uuid[], %b::text[])
        AS r (user_id, key, fingerprint, payment_id, provider_id, currency)
    WHERE EXISTS (SELECT FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = r.currency)
        AND EXISTS (SELECT FROM service_providers p WHERE p.id = r.provider_id AND p.is_active)
    ORDER BY r.user_id, r.key COLLATE "C"
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING user_id, key
""")

# A statement of its own, behind the claim: the claim's snapshot cannot see the winner that it waited for.
_RECORDS = Statement(f"""
    SELECT k.user_id, k.key, k.fingerprint, k.response_status, k.response_body, {PAYMENT_COLUMNS}
    FROM unnest(%b::uuid[], %b::text[]) AS r (user_id, key)
    JOIN idempotency_keys k ON k.user_id = r.user_id AND k.key = r.key
    LEFT JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
""")

_ACTIVE_PROVIDERS = Statement("SELECT id FROM service_providers WHERE id = ANY(%b::uuid[]) AND is_active")

_LOCK_WALLETS = Statement("""
    SELECT w.user_id, w.currency, w.current_balance, w.version
    FROM wallet_balances w
    WHERE (w.user_id, w.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY w.user_id, w.currency
    FOR UPDATE OF w
""")

_LOCK_KEYS = Statement("""
    SELECT k.payment_id, k.response_status, k.response_body
    FROM idempotency_keys k
    WHERE (k.user_id, k.key) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY k.user_id, k.key
    FOR UPDATE OF k
""")

_LOCK_PAYMENTS = Statement(f"""
    SELECT {PAYMENT_COLUMNS}
    FROM payments p
    WHERE (p.user_id, p.id) IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    ORDER BY p.user_id, p.id
    FOR UPDATE OF p
""")

_OPEN_WALLET = Statement("""
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    VALUES (%b::uuid, %b::text, 0, 0, clock_timestamp())
    ON CONFLICT (user_id, currency) DO NOTHING
""")

_PENDING_SUM = Statement("""
    SELECT coalesce(sum(amount), 0) FROM payments
    WHERE user_id = %b::uuid AND currency = %b::text AND status = 'PENDING'
""")

_FUNDED = Statement(
    "SELECT amount FROM transactions WHERE user_id = %b::uuid AND currency = %b::text AND reference = %b::text"
)

# Last of its pipeline: a time from before the locks could be older than what the last holder wrote.
_CLOCK = Statement("SELECT clock_timestamp()")

_BEGIN = Statement("BEGIN ISOLATION LEVEL READ COMMITTED")
_COMMIT = Statement("COMMIT")


class PostgresBooks:
    """The books in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._plans = Plans()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresWork"]:
        """Begin a work on a connection of the pool. Leaving it without a commit undoes it."""
        async with session(self._pool) as connection:
            try:
                yield PostgresWork(connection, plan_anew=self._plans.are_old(connection))
            finally:
                if connection.pgconn.transaction_status in (
                    pq.TransactionStatus.INTRANS,
                    pq.TransactionStatus.INERROR,
                ):
                    await connection.rollback()


class PostgresWork:
    """One transaction."""

    def __init__(self, connection: AsyncConnection, *, plan_anew: bool) -> None:
        self._connection = connection
        self._plan_anew = plan_anew

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock their wallets."""
        claims, wallets, clock = await self._begin(
            (_CLAIM, _claim_columns(requests)),
            _lock_wallets([(r.user_id, r.money.currency) for r in requests]),
            (_CLOCK, ()),
        )
        won = frozenset((UserId(user_id), key) for user_id, key in claims)
        locked = _wallets(wallets)
        lost = [request for request in requests if request.scope not in won]
        records = await self._records(lost, locked) if lost else {}
        return Claimed(won, records, locked, _now(clock))

    async def _records(
        self, requests: Sequence[PaymentRequest], wallets: Mapping[WalletId, Wallet]
    ) -> Mapping[KeyScope, KeyRecord]:
        rows, active = await run(
            self._connection,
            [
                (_RECORDS, ([r.user_id for r in requests], [r.key for r in requests])),
                (_ACTIVE_PROVIDERS, ([r.provider_id for r in requests],)),
            ],
        )
        records = {(UserId(row[0]), row[1]): key_record(row[2:]) for row in rows}
        providers = {row[0] for row in active}
        for request in requests:
            has_all = (request.user_id, request.money.currency) in wallets and request.provider_id in providers
            if has_all and request.scope not in records:
                # Its old record was purged, or its wallet opened, between two of our statements.
                raise Retry
        return records

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        users = [payment.user_id for payment in payments]
        keys, rows, *wallets, clock = await self._begin(
            (_LOCK_KEYS, (users, [payment.idempotency_key for payment in payments])),
            (_LOCK_PAYMENTS, (users, [payment.id for payment in payments])),
            *([_lock_wallets([(p.user_id, p.money.currency) for p in refundable])] if refundable else []),
            (_CLOCK, ()),
        )
        answers = {
            PaymentId(payment_id): Answer(status, body)
            for payment_id, status, body in keys
            if payment_id is not None and status is not None
        }
        held = {payment.id: payment for payment in map(payment_of, rows)}
        return Held(held, answers, _wallets(chain.from_iterable(wallets)), _now(clock))

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """Lock the wallet; there is one afterwards."""
        _, wallets, pending, funded, clock = await self._begin(
            (_OPEN_WALLET, (user_id, currency)),
            _lock_wallets([(user_id, currency)]),
            (_PENDING_SUM, (user_id, currency)),
            (_FUNDED, (user_id, currency, reference)),
            (_CLOCK, ()),
        )
        (wallet,) = _wallets(wallets).values()
        return Opened(wallet, int(pending[0][0]), funded[0][0] if funded else None, _now(clock))

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        severities: list[str | None] = []

        def note(said: Diagnostic) -> None:  # which can be read only now
            severities.append(said.severity_nonlocalized)

        self._connection.add_notice_handler(note)
        try:
            await run(self._connection, [*writing.statements(changes), (_COMMIT, ())])
        finally:
            self._connection.remove_notice_handler(note)
        if "WARNING" in severities:
            raise NotReplicated

    async def _begin(self, *calls: Call) -> list[list[Row]]:
        """Begin the transaction with the statements; their rows."""
        first: list[Call] = [(_BEGIN, ())]
        patience_ms = lock_patience_ms.get()
        if patience_ms != LOCK_TIMEOUT_MS or not has_own_session(self._connection):
            first.append((_LIMITS, (str(patience_ms),)))
        if self._plan_anew:
            first.append(PLAN_ANEW)
        return (await run(self._connection, [*first, *calls]))[len(first) :]


def _lock_wallets(wallets: Sequence[WalletId]) -> Call:
    return _LOCK_WALLETS, ([user_id for user_id, _ in wallets], [currency for _, currency in wallets])


def _claim_columns(requests: Sequence[PaymentRequest]) -> list[tuple[Any, ...]]:
    return list(
        zip(
            *((r.user_id, r.key, r.fingerprint, r.payment_id, r.provider_id, r.money.currency) for r in requests),
            strict=True,
        )
    )


def _wallets(rows: Iterable[Row]) -> Mapping[WalletId, Wallet]:
    return {(UserId(user_id), Currency(code)): Wallet(user_id, code, *rest) for user_id, code, *rest in rows}


def _now(clock: Sequence[Row]) -> datetime:
    now = clock[0][0]
    assert isinstance(now, datetime)
    return now
