"""Reads of wallets: balances and histories."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.contexts.funds.part import PaymentQueries
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.reads import SharedReads

_BALANCES = Statement("""
    SELECT currency, current_balance, updated_at, held FROM wallet_balances WHERE user_id = %b::uuid ORDER BY currency
""")

MOST_LINES = 201
"""No more are asked for: a page of 200, and the one that tells whether there is another."""

# A row comparison: the index on (user_id[, currency], created_at DESC, id DESC) starts right behind the cursor. For any
# limit the planner expects a tenth of all that a user has, and would sort a million lines in parallel, to be compiled
# first: 400 ms. It can count on a limit that stands in the text. Each line's rest is looked up by its key, which OFFSET
# 0 leaves no choice about: 0.4 ms. A wallet's entry is told by its balance, not by its account: without statistics the
# index of those in their order looks as good as the key's, and each line would walk through all of its wallet's. What
# moved no wallet has no such entry, and is a line all the same.
_PAGE = f"""
    SELECT t.id, t.kind, t.amount, t.currency, t.status, e.balance_after, t.payment_id, p.provider_id,
           coalesce(p.external_reference, t.reference), t.created_at, t.counterparty, t.note, t.business_id
    FROM (
        SELECT * FROM (
            SELECT * FROM transactions
            WHERE user_id = %b::uuid {{currency}} {{before}}
            ORDER BY created_at DESC, id DESC
            LIMIT {MOST_LINES}
        ) newest
        LIMIT %b::bigint
    ) t
    LEFT JOIN LATERAL (
        SELECT balance_after FROM ledger_entries
        WHERE transaction_id = t.id AND user_id = t.user_id AND balance_after IS NOT NULL
        OFFSET 0
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT provider_id, external_reference FROM ({{recipients}}) r
        WHERE id = t.payment_id AND user_id = t.user_id
        OFFSET 0
    ) p ON true
    ORDER BY t.created_at DESC, t.id DESC
"""


def page_statements(payments: PaymentQueries) -> Mapping[tuple[bool, bool], Statement]:
    """The statements that read a page, by what they ask for: a currency, and what comes behind a line."""
    return {
        (of_currency, behind): Statement(
            _PAGE.format(
                currency="AND currency = %b::text" if of_currency else "",
                before="AND (created_at, id) < (%b::timestamptz, %b::uuid)" if behind else "",
                recipients=payments.recipients,
            )
        )
        for of_currency in (False, True)
        for behind in (False, True)
    }


class PostgresWalletReader:
    """Reads wallets. It implements `WalletReader`."""

    def __init__(self, reads: SharedReads, payments: PaymentQueries) -> None:
        self._reads = reads
        self._transactions = page_statements(payments)

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """See `WalletReader.balances`."""
        (rows,) = await self._reads.read(user_id, (_BALANCES, (user_id,)))
        return list(map(Balance._make, rows))

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """See `WalletReader.transactions`."""
        assert limit <= MOST_LINES
        statement = self._transactions[currency is not None, before is not None]
        values = (user_id, *((currency,) if currency else ()), *(before or ()), limit)
        (rows,) = await self._reads.read(user_id, (statement, values))
        return list(map(TransactionLine._make, rows))
