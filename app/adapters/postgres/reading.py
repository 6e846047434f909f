"""Reads that lock nothing: balances, histories, keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.adapters.postgres.lanes import BatchObserver, Lane, unobserved
from app.adapters.postgres.pipeline import Call, Row, Statement
from app.adapters.postgres.plans import Plans
from app.adapters.postgres.pool import Pool, session
from app.adapters.postgres.rows import PAYMENT_COLUMNS, key_record
from app.application.ports import Balance, KeyRecord, PaymentRequest, TransactionLine
from app.domain.ids import UserId
from app.domain.money import Currency
from app.domain.refusals import ProviderNotFound, WalletNotFound

LANES = 2
"""Round trips under way at a time: one being read by the server while the rows of the other are."""
BATCH = 32
QUEUE = 2_048

_BALANCES = Statement("""
    SELECT currency, current_balance, updated_at FROM wallet_balances WHERE user_id = %b::uuid ORDER BY currency
""")

MOST_LINES = 201
"""No more are asked for: a page of 200, and the one that tells whether there is another."""

# A row comparison: the index on (user_id[, currency], created_at DESC, id DESC) starts right behind the cursor. For any
# limit the planner expects a tenth of all that a user has, and would sort a million lines in parallel, to be compiled
# first: 400 ms. It can count on a limit that stands in the text. Each line's rest is looked up by its key, which OFFSET
# 0 leaves no choice about: 0.4 ms. A wallet's entry is told by its balance, not by its account: without statistics the
# index of those in their order looks as good as the key's, and each line would walk through all of its wallet's.
_PAGE = f"""
    SELECT t.id, t.kind, t.amount, t.currency, t.status, e.balance_after, t.payment_id, p.provider_id,
           coalesce(p.external_reference, t.reference), t.created_at
    FROM (
        SELECT * FROM (
            SELECT * FROM transactions
            WHERE user_id = %b::uuid {{currency}} {{before}}
            ORDER BY created_at DESC, id DESC
            LIMIT {MOST_LINES}
        ) newest
        LIMIT %b::bigint
    ) t
    CROSS JOIN LATERAL (
        SELECT balance_after FROM ledger_entries
        WHERE transaction_id = t.id AND user_id = t.user_id AND balance_after IS NOT NULL
        OFFSET 0
    ) e
    LEFT JOIN LATERAL (
        SELECT provider_id, external_reference FROM payments WHERE id = t.payment_id AND user_id = t.user_id OFFSET 0
    ) p ON true
    ORDER BY t.created_at DESC, t.id DESC
"""

# By what they ask for: a currency, and what comes behind a line.
_TRANSACTIONS = {
    (of_currency, behind): Statement(
        _PAGE.format(
            currency="AND currency = %b::text" if of_currency else "",
            before="AND (created_at, id) < (%b::timestamptz, %b::uuid)" if behind else "",
        )
    )
    for of_currency in (False, True)
    for behind in (False, True)
}

_KEY = Statement(f"""
    SELECT k.fingerprint, k.response_status, k.response_body, {PAYMENT_COLUMNS}
    FROM idempotency_keys k
    LEFT JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
    WHERE k.user_id = %b::uuid AND k.key = %b::text
""")

_WHAT_EXISTS = Statement("""
    SELECT EXISTS (SELECT FROM wallet_balances WHERE user_id = %b::uuid AND currency = %b::text),
           EXISTS (SELECT FROM service_providers WHERE id = %b::uuid AND is_active)
""")


Reads = Sequence[Call]
"""The statements of one read."""


class PostgresReader:
    """Reads wallets and keys. Reads that come at once share a round trip, as writes do."""

    def __init__(self, pool: Pool, observe: BatchObserver = unobserved) -> None:
        self._pool = pool
        self._plans = Plans()
        self._lanes = [
            Lane[Reads, Sequence[Sequence[Row]]](
                self._run, size=BATCH, queue_limit=QUEUE, on_lost=pool.check, observe=observe
            )
            for _ in range(LANES)
        ]

    @property
    def waiting(self) -> int:
        """How many reads wait for their round trip to begin."""
        return sum(lane.waiting for lane in self._lanes)

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The user's balances, by currency."""
        (rows,) = await self._read(user_id, (_BALANCES, (user_id,)))
        return list(map(Balance._make, rows))

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """Up to `limit` lines older than `before` (time and id of a line), newest first."""
        assert limit <= MOST_LINES
        statement = _TRANSACTIONS[currency is not None, before is not None]
        values = (user_id, *((currency,) if currency else ()), *(before or ()), limit)
        (rows,) = await self._read(user_id, (statement, values))
        return list(map(TransactionLine._make, rows))

    async def find(self, request: PaymentRequest) -> KeyRecord | None:
        """The record of the request's key.

        Raises:
            WalletNotFound: there is no record, and the user has no wallet in that currency.
            ProviderNotFound: there is no record, and no such active provider.
        """
        currency = request.money.currency
        rows, ((has_wallet, has_provider),) = await self._read(
            request.user_id,
            (_KEY, request.scope),
            (_WHAT_EXISTS, (request.user_id, currency, request.provider_id)),
        )
        if rows:
            return key_record(rows[0])
        if not has_wallet:
            raise WalletNotFound(currency)
        if not has_provider:
            raise ProviderNotFound
        return None

    async def _read(self, user_id: UserId, *calls: Call) -> Sequence[Sequence[Row]]:
        return await self._lanes[user_id.int % LANES].submit(calls)

    async def _run(self, reads: Sequence[Reads]) -> Sequence[Sequence[Sequence[Row]]]:
        async with session(self._pool) as connection:
            rows = iter(await self._plans.run(connection, [call for calls in reads for call in calls]))
        return [[next(rows) for _ in calls] for calls in reads]
