"""The books as refunds are promised and settled in them: one transaction each."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.contexts.funds.public import Transaction, Wallet, WalletId
from app.contexts.payments.application.refund_request import RefundRequest
from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refund_events import RefundEvent
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope


@dataclass(frozen=True, slots=True)
class ClaimedRefunds:
    """The state that a batch of requests meets, locked until the work ends. `now` is the database's clock.

    A key that is neither won nor recorded is that of a request whose tenant has no such payment.
    """

    won: frozenset[KeyScope]
    """Keys that are the requests' own from here on."""
    records: Mapping[KeyScope, KeyRecord[Refund]]
    """Keys that were there before."""
    payments: Mapping[PaymentId, Payment]
    promised: Mapping[PaymentId, int]
    """What of each is given back already or promised, in minor units: its refunds that are not refused."""
    wallets: Mapping[WalletId, Wallet]
    pending: Mapping[WalletId, int]
    """What may come back to each wallet, in minor units; 0 is left out."""
    now: datetime


@dataclass(frozen=True, slots=True)
class HeldRefunds:
    """Refunds as they stand, locked until the work ends, with the stored answers of those that are final."""

    refunds: Mapping[RefundId, Refund]
    answers: Mapping[RefundId, Answer]
    wallets: Mapping[WalletId, Wallet]
    now: datetime


@dataclass(slots=True)
class RefundChanges:
    """All that a work writes, committed as one. A wallet's transactions come in their order."""

    new_refunds: list[Refund] = field(default_factory=list)
    settled_refunds: list[Refund] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    events: list[RefundEvent] = field(default_factory=list)
    answers: dict[KeyScope, Answer] = field(default_factory=dict)


class RefundWork(Protocol):
    """One transaction. What it locks it locks in one order everywhere: keys, payments, refunds, wallets."""

    async def claim(self, requests: Sequence[RefundRequest]) -> ClaimedRefunds:
        """Claim the requests' keys (one request a key), and lock their tenants' payments and the wallets of those."""
        ...

    async def hold(self, refunds: Sequence[Refund]) -> HeldRefunds:
        """Lock the refunds (each there once) with their keys and wallets. Their payments do not change."""
        ...

    async def commit(self, changes: RefundChanges) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class RefundBooks(Protocol):
    """The books, as refunds have them: keys, payments, refunds, their outbox, and the wallets that they fill."""

    def begin(self) -> AbstractAsyncContextManager[RefundWork]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


class RefundRecords(Protocol):
    """Reads what would answer a request, without claiming anything."""

    async def find(self, request: RefundRequest) -> KeyRecord[Refund] | None:
        """The record of the request's key.

        Raises:
            PaymentNotFound: there is no record, and its tenant has no such payment.
            Unavailable: it cannot be known now.
        """
        ...
