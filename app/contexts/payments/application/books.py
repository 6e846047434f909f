"""The books as payments are reserved and settled in them: one transaction each."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.contexts.funds.public import Transaction, Wallet, WalletId
from app.contexts.payments.application.request import PaymentRequest, Scope
from app.contexts.payments.domain.events import Event
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.payment import Payment
from app.platform.idempotency.keys import Answer, KeyRecord


@dataclass(frozen=True, slots=True)
class Claimed:
    """The state that a batch of requests meets, locked until the work ends. `now` is the database's clock."""

    won: frozenset[Scope]
    """Keys that are the requests' own from here on."""
    records: Mapping[Scope, KeyRecord[Payment]]
    """Keys that were there before. A key in neither lacks its wallet or its provider."""
    wallets: Mapping[WalletId, Wallet]
    now: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Payments as they stand, locked until the work ends, with the stored answers of those that are final."""

    payments: Mapping[PaymentId, Payment]
    answers: Mapping[PaymentId, Answer]
    wallets: Mapping[WalletId, Wallet]
    now: datetime


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one. A wallet's transactions come in their order."""

    new_payments: list[Payment] = field(default_factory=list)
    marked_payments: list[Payment] = field(default_factory=list)
    settled_payments: list[Payment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    answers: dict[Scope, Answer] = field(default_factory=dict)


class PaymentWork(Protocol):
    """One transaction over the books. What it locks it locks in one order everywhere: keys, payments, wallets."""

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock their wallets."""
        ...

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class PaymentBooks(Protocol):
    """The books, as reserving and settling have them: keys, payments, their outbox, and the wallets that they move."""

    def begin(self) -> AbstractAsyncContextManager[PaymentWork]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...
