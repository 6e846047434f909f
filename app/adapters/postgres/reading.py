"""Reads that lock nothing: balances, histories, keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.adapters.postgres.errors import reading
from app.adapters.postgres.pipeline import Statement, run
from app.adapters.postgres.pool import Pool, session
from app.adapters.postgres.rows import PAYMENT_COLUMNS, key_record
from app.application.ports import Balance, KeyRecord, PaymentRequest, TransactionLine
from app.domain.ids import UserId
from app.domain.money import Currency
from app.domain.refusals import ProviderNotFound, WalletNotFound

_BALANCES = Statement("""
    SELECT currency, current_balance, updated_at FROM wallet_balances WHERE user_id = %b::uuid ORDER BY currency
""")

# A row comparison: the index on (user_id[, currency], created_at DESC, id DESC) starts right behind the cursor.
_PAGE = """
    SELECT t.id, t.kind, t.amount, t.currency, t.status, e.balance_after, t.payment_id, p.provider_id,
           coalesce(p.external_reference, t.reference), t.created_at
    FROM (
        SELECT * FROM transactions
        WHERE user_id = %b::uuid {currency} {before}
        ORDER BY created_at DESC, id DESC
        LIMIT %b::bigint
    ) t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id AND e.account = 'wallet'
    LEFT JOIN payments p ON p.user_id = t.user_id AND p.id = t.payment_id
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


class PostgresReader:
    """Reads wallets and keys."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The user's balances, by currency."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(_BALANCES, (user_id,))])
        return [Balance(*row) for row in rows]

    @reading
    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """Up to `limit` lines older than `before` (time and id of a line), newest first."""
        statement = _TRANSACTIONS[currency is not None, before is not None]
        values = (user_id, *((currency,) if currency else ()), *(before or ()), limit)
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(statement, values)])
        return [TransactionLine(*row) for row in rows]

    @reading
    async def find(self, request: PaymentRequest) -> KeyRecord | None:
        """The record of the request's key.

        Raises:
            WalletNotFound: there is no record, and the user has no wallet in that currency.
            ProviderNotFound: there is no record, and no such active provider.
        """
        currency = request.money.currency
        async with session(self._pool) as connection:
            calls = [(_KEY, request.scope), (_WHAT_EXISTS, (request.user_id, currency, request.provider_id))]
            rows, ((has_wallet, has_provider),) = await run(connection, calls)
        if rows:
            return key_record(rows[0])
        if not has_wallet:
            raise WalletNotFound(currency)
        if not has_provider:
            raise ProviderNotFound
        return None
