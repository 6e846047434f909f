"""The books in memory, with what PostgreSQL does about locks, uniqueness and all-or-nothing."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.refusals import WalletNotFound
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.contexts.payments.application.books import Changes, Claimed, Held
from app.contexts.payments.application.request import PaymentRequest, Scope
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import ProviderNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.idempotency.keys import KeyRecord
from app.platform.postgres.errors import Retry
from tests.fakes.rows import FakeLocks, Key, Rows, apply, check
from tests.fakes.turns import turn


@dataclass(slots=True)
class FakeBooks(Rows):
    """Books, keys, pending payments and the wallet reader over one memory."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["FakeWork"]:
        work = FakeWork(self)
        try:
            yield work
        finally:
            work.end()

    async def find(self, request: PaymentRequest) -> KeyRecord[Payment] | None:
        record = self.record(request.scope)
        if record is None:
            if (request.user_id, request.money.currency) not in self.wallets:
                raise WalletNotFound(request.money.currency)
            if not self.is_active(request.provider_id):
                raise ProviderNotFound
        return record

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        now = self.clock.now()
        never = datetime.min.replace(tzinfo=UTC)
        age, longest = timedelta(seconds=older_than_s), timedelta(seconds=max(lease_s, older_than_s))
        free = [p for p in self.payments.values() if not p.is_final and ("payment", p.id) not in self.locks]
        for payment in free:
            if payment.created_at > now:  # the clock went back: its age counts from now on
                self.recover_after.setdefault(payment.id, now + age)
        due = [
            payment
            for payment in free
            if not now < self.recover_after.get(payment.id, payment.created_at + age) <= now + longest
        ]
        due.sort(key=lambda payment: (self.recover_after.get(payment.id, never), payment.created_at))
        for payment in due[:limit]:
            self.recover_after[payment.id] = now + timedelta(seconds=lease_s)
        return due[:limit]

    async def purge_keys(self, ttl_h: float, limit: int) -> int:
        before = self.clock.now() - timedelta(hours=ttl_h)
        over = [(key.finalized_at, scope) for scope, key in self.keys.items() if key.finalized_at is not None]
        expired = sorted((at, scope) for at, scope in over if at < before)[:limit]
        for _, scope in expired:
            del self.keys[scope]
        return len(expired)

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        of_user = sorted(wallet_id for wallet_id in self.wallets if wallet_id[0] == user_id)
        return [
            Balance(wallet_id[1], self.wallets[wallet_id].balance_minor, self.updated_at[wallet_id])
            for wallet_id in of_user
        ]

    async def transactions_of(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        found = [
            transaction
            for transaction in self.transactions.values()
            if transaction.user_id == user_id
            and (currency is None or transaction.currency == currency)
            and (before is None or (transaction.created_at, transaction.id) < before)
        ]
        found.sort(key=lambda transaction: (transaction.created_at, transaction.id), reverse=True)
        return [self._line(transaction) for transaction in found[:limit]]

    def _line(self, transaction: Transaction) -> TransactionLine:
        payment = self.payments[PaymentId(transaction.payment_id)] if transaction.payment_id else None
        balance_after = transaction.entries[0].balance_after_minor
        assert balance_after is not None
        return TransactionLine(
            transaction_id=transaction.id,
            kind=transaction.kind.value,
            amount=transaction.money.amount_minor,
            currency=transaction.currency,
            status=transaction.status.value,
            balance_after=balance_after,
            payment_id=transaction.payment_id,
            provider_id=payment.provider_id if payment else None,
            external_reference=payment.external_reference if payment else transaction.reference,
            created_at=transaction.created_at,
        )


@dataclass(frozen=True, slots=True)
class FakeReader:
    """The wallet reader's side of the books, whose own `transactions` are the rows."""

    books: FakeBooks

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        return await self.books.balances(user_id)

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        return await self.books.transactions_of(user_id, currency, before, limit)


class FakeWork(FakeLocks):
    """One transaction of payments."""

    def __init__(self, books: FakeBooks) -> None:
        super().__init__(books)
        self._claimed: dict[Scope, Key] = {}

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        books = self._books
        for request in sorted(requests, key=lambda r: r.scope):
            if self._has_all(request) and await self._claim_key(request.scope):
                self._claimed[request.scope] = Key(request.fingerprint, request.payment_id)
        wallets = await self._lock_wallets((r.user_id, r.money.currency) for r in requests)
        records = {
            request.scope: record
            for request in requests
            if request.scope not in self._claimed and (record := books.record(request.scope))
        }
        for request in requests:
            known = request.scope in self._claimed or request.scope in records
            if not known and self._has_all(request):
                raise Retry
        return Claimed(frozenset(self._claimed), records, wallets, books.clock.now())

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        books = self._books
        for scope in sorted((p.user_id, p.idempotency_key) for p in payments):
            await self._lock(("key", scope))
        for payment_id in sorted(p.id for p in payments):
            await self._lock(("payment", payment_id))
        wallets = await self._lock_wallets((p.user_id, p.money.currency) for p in refundable)
        keys = [books.keys.get((p.user_id, p.idempotency_key)) for p in payments]
        answers = {key.payment_id: key.answer for key in keys if key and key.payment_id and key.answer}
        held = {p.id: books.payments[p.id] for p in payments if p.id in books.payments}
        return Held(held, answers, wallets, books.clock.now())

    async def commit(self, changes: Changes) -> None:
        check(self._books, changes, self._claimed)
        apply(self._books, changes, self._claimed)
        self.end()

    def _has_all(self, request: PaymentRequest) -> bool:
        has_wallet = (request.user_id, request.money.currency) in self._books.wallets
        return has_wallet and self._books.is_active(request.provider_id)

    async def _claim_key(self, scope: Scope) -> bool:
        """Whether the key is ours. Another's uncommitted claim is waited for, its committed one is not."""
        while scope not in self._books.keys:
            if ("claim", scope) not in self._books.locks:
                self._books.locks["claim", scope] = self
                return True
            await turn()
        return False

    async def _lock_wallets(self, wallets: Iterable[WalletId]) -> dict[WalletId, Wallet]:
        wanted = sorted(set(wallets))
        for wallet_id in wanted:
            if wallet_id in self._books.wallets:
                await self._lock(("wallet", wallet_id))
        return {w: self._books.wallets[w] for w in wanted if w in self._books.wallets}
