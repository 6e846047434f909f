"""The books as those who pay in have them: two round trips, the wallet locked in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.contexts.funds import part
from app.contexts.funds.adapters.postgres import wallet_rows
from app.contexts.funds.application.fund import Opened
from app.contexts.funds.domain.ledger import Transaction
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.transactions import DatabaseTransaction, Transactions

_FUNDED = Statement(
    "SELECT amount FROM transactions WHERE user_id = %b::uuid AND currency = %b::text AND reference = %b::text"
)


def pending_sum(payments: part.PaymentQueries) -> Statement:
    """Reads how much may come back to a wallet. Behind the wallet's lock, which every payment takes, none is missed."""
    return Statement(f"""
        SELECT coalesce(sum(amount), 0) FROM ({payments.pending}) p WHERE user_id = %b::uuid AND currency = %b::text
    """)


class PostgresFundingBooks:
    """The books in PostgreSQL. It implements `FundingBooks`."""

    def __init__(self, pool: Pool, payments: part.PaymentQueries) -> None:
        self._transactions = Transactions(pool)
        self._pending_sum = pending_sum(payments)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresFundingWork"]:
        """See `FundingBooks.begin`."""
        async with self._transactions.open() as transaction:
            yield PostgresFundingWork(transaction, self._pending_sum)


class PostgresFundingWork:
    """One transaction. It implements `FundingWork`."""

    def __init__(self, transaction: DatabaseTransaction, pending_sum: Statement) -> None:
        self._transaction = transaction
        self._pending_sum = pending_sum

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """See `FundingWork.open`."""
        (_, wallets, pending, funded), now = await self._transaction.begin(
            part.open_wallet(user_id, currency),
            wallet_rows.lock_wallets([(user_id, currency)]),
            (self._pending_sum, (user_id, currency)),
            (_FUNDED, (user_id, currency, reference)),
        )
        (wallet,) = wallet_rows.wallets_of(wallets).values()
        return Opened(wallet, int(pending[0][0]), funded[0][0] if funded else None, now)

    async def commit(self, funding: Transaction) -> None:
        """See `FundingWork.commit`."""
        await self._transaction.commit(part.write([funding]))
