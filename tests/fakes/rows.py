"""What the books in memory are made of: rows, their constraints, and the locks on them."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from psycopg.errors import CheckViolation, UniqueViolation

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.ledger import Transaction, TransactionStatus
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.contexts.payments.application.books import Changes
from app.contexts.payments.application.request import Scope
from app.contexts.payments.domain.events import Event
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment
from app.kernel.money import MAX_MINOR
from app.platform.idempotency.keys import Answer, KeyRecord
from tests.fakes.turns import turn


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
class Rows:
    """The tables, with what PostgreSQL does about uniqueness and all-or-nothing, and its clock."""

    clock: Clock = field(default_factory=Clock)
    providers: dict[ProviderId, bool] = field(default_factory=dict)
    wallets: dict[WalletId, Wallet] = field(default_factory=dict)
    updated_at: dict[WalletId, datetime] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    recover_after: dict[PaymentId, datetime] = field(default_factory=dict)
    transactions: dict[TransactionId, Transaction] = field(default_factory=dict)
    keys: dict[Scope, Key] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    locks: dict[Hashable, "FakeLocks"] = field(default_factory=dict)

    def is_active(self, provider_id: ProviderId) -> bool:
        return self.providers.get(provider_id, False)

    def record(self, scope: Scope) -> KeyRecord[Payment] | None:
        key = self.keys.get(scope)
        if key is None:
            return None
        return KeyRecord(key.fingerprint, self.payments[key.payment_id] if key.payment_id else None, key.answer)


class FakeLocks:
    """What a transaction has locked, until it ends."""

    def __init__(self, books: Rows) -> None:
        self._books = books

    def end(self) -> None:
        """Let go of what is locked."""
        self._books.locks = {what: work for what, work in self._books.locks.items() if work is not self}

    async def _lock(self, what: Hashable) -> None:
        while self._books.locks.get(what, self) is not self:
            await turn()
        self._books.locks[what] = self


def check(books: Rows, changes: Changes, claimed: dict[Scope, Key]) -> None:
    """The constraints of the schema, before anything is written."""
    _once([*books.payments, *(p.id for p in changes.new_payments)])
    check_transactions(books, changes.transactions)
    _once((e.payment.id, e.sequence) for e in [*books.events, *changes.events])
    if any(scope not in books.keys and scope not in claimed for scope in changes.answers):
        raise CheckViolation("an answer without its key")


def check_transactions(books: Rows, transactions: Sequence[Transaction]) -> None:
    rows = [*books.transactions.values(), *transactions]
    _once(t.id for t in rows)
    _once((t.payment_id, t.kind) for t in rows if t.payment_id)
    _once((t.user_id, t.currency, t.reference) for t in rows if t.reference is not None)
    _once((t.user_id, t.currency, t.entries[0].wallet_version) for t in rows)
    if any(not 0 <= _wallet_behind(transaction).balance_minor <= MAX_MINOR for transaction in transactions):
        raise CheckViolation("wallet_balances_not_negative")


def _wallet_behind(transaction: Transaction) -> Wallet:
    leg = transaction.entries[0]
    assert leg.balance_after_minor is not None
    assert leg.wallet_version is not None
    return Wallet(transaction.user_id, transaction.currency, leg.balance_after_minor, leg.wallet_version)


def _once(values: Iterable[Hashable]) -> None:
    values = list(values)
    if len(set(values)) != len(values):
        raise UniqueViolation("there is such a row already")


def apply(books: Rows, changes: Changes, claimed: dict[Scope, Key]) -> None:
    """Write it all, with nothing in between that could fail or give way."""
    now = books.clock.now()
    books.keys.update(claimed)
    books.payments |= {p.id: p for p in changes.new_payments}
    for marked in changes.marked_payments:
        standing = books.payments[marked.id]
        if not standing.is_final:
            books.payments[marked.id] = standing._replace(void_requested_at=marked.void_requested_at)
    for final in changes.settled_payments:
        books.payments[final.id] = final
        debit = books.transactions[final.transaction_id]
        status = TransactionStatus(final.status.value)
        books.transactions[debit.id] = debit._replace(status=status)
    move(books, changes.transactions)
    paid = {(p.user_id, p.idempotency_key) for p in changes.settled_payments}
    for scope, answer in changes.answers.items():
        key = books.keys[scope]
        books.keys[scope] = Key(key.fingerprint, key.payment_id if scope in paid else None, answer, now)
    books.events += changes.events


def move(books: Rows, transactions: Sequence[Transaction]) -> None:
    books.transactions |= {t.id: t for t in transactions}
    for transaction in transactions:
        wallet_id = (transaction.user_id, transaction.currency)
        books.wallets[wallet_id] = _wallet_behind(transaction)
        books.updated_at[wallet_id] = books.clock.now()
