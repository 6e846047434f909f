"""Double entry: a transaction's entries sum to zero because they can only be made in pairs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.ids import PaymentId, TransactionId, UserId
from app.domain.money import Currency, Money
from app.domain.wallets.wallet import Wallet


class Kind(StrEnum):
    """Why money moved."""

    FUNDING = "FUNDING"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"


class Account(StrEnum):
    """Where money is. A user has one of each in every currency."""

    WALLET = "wallet"
    PAYMENTS = "payments"
    """Paid, or held for a payment that is not final yet."""
    FUNDING = "funding"
    """The outside that money comes from: its balance is minus all that was ever paid in."""


class TransactionStatus(StrEnum):
    """A payment's transaction has its payment's status; funding and refunds are complete at once."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a transaction: a signed amount on an account, in minor units.

    A wallet's leg carries the balance after it and its place in the wallet's history; no other leg does.
    """

    account: Account
    amount_minor: int
    balance_after_minor: int | None = None
    wallet_version: int | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money between a user's wallet and another account of that user."""

    id: TransactionId
    user_id: UserId
    kind: Kind
    status: TransactionStatus
    money: Money
    entries: tuple[Entry, Entry]
    created_at: datetime
    payment_id: PaymentId | None = None
    reference: str | None = None

    @property
    def currency(self) -> Currency:
        """The currency of both legs."""
        return self.money.currency


def pay_out(wallet: Wallet, id: TransactionId, payment_id: PaymentId, money: Money, at: datetime) -> Transaction:
    """Debit the wallet for a payment.

    Raises:
        InsufficientFunds: the wallet holds less.
    """
    wallet.debit(money)
    return _transaction(wallet, id, Kind.PAYMENT, TransactionStatus.PENDING, money, at, payment_id=payment_id)


def refund(wallet: Wallet, id: TransactionId, payment_id: PaymentId, money: Money, at: datetime) -> Transaction:
    """Credit the wallet with what a payment took.

    Raises:
        BalanceLimit: it does not fit; funding keeps room for every pending payment, so it does.
    """
    wallet.credit(money)
    return _transaction(wallet, id, Kind.REFUND, TransactionStatus.COMPLETED, money, at, payment_id=payment_id)


def pay_in(wallet: Wallet, id: TransactionId, reference: str | None, money: Money, at: datetime) -> Transaction:
    """Credit the wallet from outside.

    Raises:
        BalanceLimit: it does not fit.
    """
    wallet.credit(money)
    return _transaction(wallet, id, Kind.FUNDING, TransactionStatus.COMPLETED, money, at, reference=reference)


def _transaction(
    wallet: Wallet,
    id: TransactionId,
    kind: Kind,
    status: TransactionStatus,
    money: Money,
    at: datetime,
    *,
    payment_id: PaymentId | None = None,
    reference: str | None = None,
) -> Transaction:
    signed = -money.amount_minor if kind is Kind.PAYMENT else money.amount_minor
    other = Account.FUNDING if kind is Kind.FUNDING else Account.PAYMENTS
    legs = (Entry(Account.WALLET, signed, wallet.balance_minor, wallet.version), Entry(other, -signed))
    return Transaction(id, wallet.user_id, kind, status, money, legs, at, payment_id, reference)
