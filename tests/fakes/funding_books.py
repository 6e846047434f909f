"""The books in memory, as those who pay in have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.contexts.funds.application.fund import Opened
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.wallet import Wallet
from app.kernel.ids import UserId
from app.kernel.money import Currency
from tests.fakes.books import FakeBooks
from tests.fakes.rows import FakeLocks, check_transactions, move


@dataclass(frozen=True, slots=True)
class FakeFundingBooks:
    """The same books as those who pay in have them."""

    books: FakeBooks

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["FakeFundingWork"]:
        work = FakeFundingWork(self.books)
        try:
            yield work
        finally:
            work.end()


class FakeFundingWork(FakeLocks):
    """One transaction that pays in."""

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        books = self._books
        await self._lock(("wallet", (user_id, currency)))
        wallet = books.wallets.get((user_id, currency), Wallet(user_id, currency))
        pending = sum(
            p.money.amount_minor
            for p in books.payments.values()
            if p.user_id == user_id and p.money.currency == currency and not p.is_final
        )
        funded = (
            t.money.amount_minor
            for t in books.transactions.values()
            if (t.user_id, t.currency, t.reference) == (user_id, currency, reference) and reference is not None
        )
        return Opened(wallet, pending, next(funded, None), books.clock.now())

    async def commit(self, funding: Transaction) -> None:
        check_transactions(self._books, [funding])
        move(self._books, [funding])
        self.end()
