"""The books in memory, with what PostgreSQL does about locks, uniqueness and all-or-nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg.errors import CheckViolation, UniqueViolation

from app.adapters.postgres.errors import Retry
from app.application.ports import (
    Answer,
    Balance,
    Books,
    Changes,
    Claimed,
    Held,
    KeyRecord,
    KeyScope,
    Opened,
    PaymentRequest,
    TransactionLine,
    Unavailable,
    WalletId,
    Work,
)
from app.domain.events import Event
from app.domain.ids import PaymentId, ProviderId, TransactionId, UserId
from app.domain.money import MAX_MINOR, Currency
from app.domain.payments.payment import Payment
from app.domain.refusals import ProviderNotFound, WalletNotFound
from app.domain.wallets.ledger import Transaction, TransactionStatus
from app.domain.wallets.wallet import Wallet
from tests.fakes.turns import fate_of, turn

C = TypeVar("C")
R = TypeVar("R")


class Clock:
    """The database's clock: it never shows the same time twice, and goes on when told to."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass(slots=True)
class Key:
    """A row of the idempotency keys."""

    fingerprint: bytes
    payment_id: PaymentId | None
    answer: Answer | None = None
    finalized_at: datetime | None = None


@dataclass(slots=True)
class FakeBooks:
    """Books, keys, pending payments and the wallet reader over one memory."""

    clock: Clock = field(default_factory=Clock)
    providers: dict[ProviderId, bool] = field(default_factory=dict)
    wallets: dict[WalletId, Wallet] = field(default_factory=dict)
    updated_at: dict[WalletId, datetime] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    recover_after: dict[PaymentId, datetime] = field(default_factory=dict)
    transactions: dict[TransactionId, Transaction] = field(default_factory=dict)
    keys: dict[KeyScope, Key] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    locks: dict[Hashable, "FakeWork"] = field(default_factory=dict)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["FakeWork"]:
        work = FakeWork(self)
        try:
            yield work
        finally:
            work.end()

    def is_active(self, provider_id: ProviderId) -> bool:
        return self.providers.get(provider_id, False)

    def record(self, scope: KeyScope) -> KeyRecord | None:
        key = self.keys.get(scope)
        if key is None:
            return None
        return KeyRecord(key.fingerprint, self.payments[key.payment_id] if key.payment_id else None, key.answer)

    async def find(self, request: PaymentRequest) -> KeyRecord | None:
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
        payment = self.payments[transaction.payment_id] if transaction.payment_id else None
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


class FakeWork:
    """One transaction."""

    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self._claimed: dict[KeyScope, Key] = {}
        self._opened: dict[WalletId, Wallet] = {}

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

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        books = self._books
        await self._lock(("wallet", (user_id, currency)))
        standing = books.wallets.get((user_id, currency)) or Wallet(user_id, currency)
        wallet = self._opened[user_id, currency] = _copy(standing)
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

    async def commit(self, changes: Changes) -> None:
        _check(self._books, changes, self._claimed)
        _apply(self._books, changes, self._claimed, self._opened)
        self.end()

    def end(self) -> None:
        """Let go of what is locked."""
        self._books.locks = {what: work for what, work in self._books.locks.items() if work is not self}

    def _has_all(self, request: PaymentRequest) -> bool:
        has_wallet = (request.user_id, request.money.currency) in self._books.wallets
        return has_wallet and self._books.is_active(request.provider_id)

    async def _claim_key(self, scope: KeyScope) -> bool:
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
        return {w: _copy(self._books.wallets[w]) for w in wanted if w in self._books.wallets}

    async def _lock(self, what: Hashable) -> None:
        while self._books.locks.get(what, self) is not self:
            await turn()
        self._books.locks[what] = self


def _copy(wallet: Wallet) -> Wallet:
    return Wallet(wallet.user_id, wallet.currency, wallet.balance_minor, wallet.version)


def _check(books: FakeBooks, changes: Changes, claimed: dict[KeyScope, Key]) -> None:
    """The constraints of the schema, before anything is written."""
    _once([*books.payments, *(p.id for p in changes.new_payments)])
    rows = [*books.transactions.values(), *changes.transactions]
    _once(t.id for t in rows)
    _once((t.payment_id, t.kind) for t in rows if t.payment_id)
    _once((t.user_id, t.currency, t.reference) for t in rows if t.reference is not None)
    _once((t.user_id, t.currency, t.entries[0].wallet_version) for t in rows)
    _once((e.payment.id, e.sequence) for e in [*books.events, *changes.events])
    if any(not 0 <= wallet.balance_minor <= MAX_MINOR for wallet in changes.wallets.values()):
        raise CheckViolation("wallet_balances_not_negative")
    if any(scope not in books.keys and scope not in claimed for scope in changes.answers):
        raise CheckViolation("an answer without its key")


def _once(values: Iterable[Hashable]) -> None:
    values = list(values)
    if len(set(values)) != len(values):
        raise UniqueViolation("there is such a row already")


def _apply(books: FakeBooks, changes: Changes, claimed: dict[KeyScope, Key], opened: dict[WalletId, Wallet]) -> None:
    """Write it all, with nothing in between that could fail or give way."""
    now = books.clock.now()
    books.keys.update(claimed)
    for wallet_id in opened:
        if wallet_id not in books.wallets:
            books.wallets[wallet_id] = Wallet(*wallet_id)
            books.updated_at[wallet_id] = now
    books.payments |= {p.id: p for p in changes.new_payments}
    for marked in changes.marked_payments:
        standing = books.payments[marked.id]
        if not standing.is_final:
            books.payments[marked.id] = replace(standing, void_requested_at=marked.void_requested_at)
    for final in changes.settled_payments:
        books.payments[final.id] = final
        debit = books.transactions[final.transaction_id]
        status = TransactionStatus(final.status.value)
        books.transactions[debit.id] = replace(debit, status=status)
    books.transactions |= {t.id: t for t in changes.transactions}
    for wallet_id, wallet in changes.wallets.items():
        books.wallets[wallet_id] = _copy(wallet)
        books.updated_at[wallet_id] = now
    paid = {(p.user_id, p.idempotency_key) for p in changes.settled_payments}
    for scope, answer in changes.answers.items():
        key = books.keys[scope]
        books.keys[scope] = Key(key.fingerprint, key.payment_id if scope in paid else None, answer, now)
    books.events += changes.events


class Fate(Enum):
    """What befalls a COMMIT whose answer never comes."""

    LOST_BEFORE = "the connection was lost before the COMMIT took effect"
    LOST_AFTER = "the connection was lost after the COMMIT took effect"


class UnsteadyBooks:
    """Books whose commits meet the fates that a test lines up: the first commit the first, and so on."""

    def __init__(self, books: Books, *fates: Fate | None) -> None:
        self._books = books
        self.fates = list(fates)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._books.begin() as work:
            yield _UnsteadyWork(work, self)


class _UnsteadyWork:
    def __init__(self, work: Work, books: UnsteadyBooks) -> None:
        self._work = work
        self._books = books
        self.claim, self.hold, self.open = work.claim, work.hold, work.open

    async def commit(self, changes: Changes) -> None:
        fate = fate_of(await turn(), Fate)
        if self._books.fates:
            fate = self._books.fates.pop(0)
        if fate is not Fate.LOST_BEFORE:
            await self._work.commit(changes)
        if fate is not None:
            raise psycopg.OperationalError(fate.value)


def one_by_one(use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]]) -> Callable[..., Awaitable[R]]:
    """The use case for one command at a time, with what a lane does about a lost connection or a conflict."""

    async def submit(command: C, deadline: float = float("inf")) -> R:
        try:
            return (await use_case([command]))[0]
        except (psycopg.OperationalError, Retry):
            pass
        try:
            return (await use_case([command]))[0]
        except (psycopg.OperationalError, Retry) as error:
            raise Unavailable(str(error)) from error

    return submit
