"""What the use cases need from outside, as small protocols named for the need."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, Self
from uuid import UUID

from app.domain.events import Event
from app.domain.ids import PaymentId, ProviderId, TransactionId, UserId
from app.domain.money import Currency, Money
from app.domain.payments.payment import Payment
from app.domain.payments.provider import Absent, Approved, Declined, Mismatched, NotSent, Unknown, Voided
from app.domain.refusals import InsufficientFunds
from app.domain.wallets.ledger import Transaction
from app.domain.wallets.wallet import Wallet


class Unavailable(Exception):  # noqa: N818 -- it says what the service is, for now
    """The service cannot tell: database out of reach, overload, a lock held too long, or draining.

    It promises nothing about what happened. The same request with the same key finds out.
    """


class Slot(Protocol):
    """A place in the bulkhead, held from before anything is claimed until the payment's calls are over."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Gate(Protocol):
    """The way to the gateway for a new payment: breaker and bulkhead."""

    def enter(self) -> Slot:
        """Take a slot, at once.

        Raises:
            GatewayUnavailable: the breaker is open or the bulkhead is full.
        """
        ...


class Gateway(Protocol):
    """The outside gateway. No method raises for anything the gateway or the network does.

    `deadline` is a time of the running event loop (`loop.time()`), by which the answer is there.
    """

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """Charge the payment, retrying while there is time left to ask, void and settle."""
        ...

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """Ask what became of the payment's charge."""
        ...

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See to it that no charge stands for the payment, now or later."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A final response as it was, and will be, sent: byte for byte."""

    status: int
    body: bytes


class Answers(Protocol):
    """Makes the responses that are stored with their key."""

    def settled(self, payment: Payment) -> Answer:
        """The response to a payment that is final."""
        ...

    def refused(self, refusal: InsufficientFunds) -> Answer:
        """The response to a payment that the wallet could not pay."""
        ...


class Ids(Protocol):
    """Where new identifiers come from."""

    def __call__(self) -> UUID:
        """A UUID never given before; later ones sort behind earlier ones, as far as the clock is right."""
        ...


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A request to pay. Its ids are chosen once: running it again, whatever happened before, is the same request."""

    payment_id: PaymentId
    transaction_id: TransactionId
    user_id: UserId
    key: str
    fingerprint: bytes
    provider_id: ProviderId
    external_reference: str
    money: Money
    traceparent: str | None = None

    @property
    def scope(self) -> "KeyScope":
        """What its idempotency key is unique within."""
        return (self.user_id, self.key)


KeyScope = tuple[UserId, str]
WalletId = tuple[UserId, Currency]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known under an idempotency key: its payment, if it got that far, and its answer, once final."""

    fingerprint: bytes
    payment: Payment | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The state that a batch of requests meets, locked until the work ends. `now` is the database's clock."""

    won: frozenset[KeyScope]
    """Keys that are the requests' own from here on."""
    records: Mapping[KeyScope, KeyRecord]
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A wallet, locked until the work ends, and what funding it must know. Amounts in minor units."""

    wallet: Wallet
    pending_minor: int
    """The sum of the user's pending payments in the wallet's currency: each may come back."""
    funded_minor: int | None
    """What an earlier funding with the same reference paid in."""
    now: datetime


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one."""

    new_payments: list[Payment] = field(default_factory=list)
    marked_payments: list[Payment] = field(default_factory=list)
    settled_payments: list[Payment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    wallets: dict[WalletId, Wallet] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    answers: dict[KeyScope, Answer] = field(default_factory=dict)


class Work(Protocol):
    """One transaction over the books. What it locks it locks in one order everywhere: keys, payments, wallets."""

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock their wallets."""
        ...

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        ...

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """Lock the wallet; there is one afterwards."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Books(Protocol):
    """The books: wallets, payments, ledger, keys and outbox."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


class Keys(Protocol):
    """Reads what would answer a request, without claiming anything."""

    async def find(self, request: PaymentRequest) -> KeyRecord | None:
        """The record of the request's key.

        Raises:
            WalletNotFound: there is no record, and the user has no wallet in that currency.
            ProviderNotFound: there is no record, and no such active provider.
        """
        ...


class PendingPayments(Protocol):
    """Payments that nobody finished."""

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """Lease up to `limit` payments that are PENDING for longer than `older_than_s`, the longest waiting first.

        Nobody else gets them within `lease_s`. Ages and leases go by the database's clock.
        """
        ...


class Balance(NamedTuple):
    """What a wallet holds, in minor units."""

    currency: str
    current_balance: int
    updated_at: datetime


class TransactionLine(NamedTuple):
    """A line of a user's history. `amount` is positive, `balance_after` the wallet's; both in minor units."""

    transaction_id: UUID
    kind: str
    amount: int
    currency: str
    status: str
    balance_after: int
    payment_id: UUID | None
    provider_id: UUID | None
    external_reference: str | None
    created_at: datetime


class WalletReader(Protocol):
    """Reads a user's wallets."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The user's balances, by currency."""
        ...

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """Up to `limit` lines older than `before` (time and id of a line), newest first."""
        ...
