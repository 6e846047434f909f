"""A wallet: what a user holds in one currency, and how money moves in and out of it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import TransactionId
from app.contexts.funds.domain.ledger import Account, Entry, Kind, Transaction, TransactionStatus
from app.contexts.funds.domain.operation import Part
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR, Currency, Money

WalletId = tuple[UserId, Currency]

_MICROSECOND: Final = timedelta(microseconds=1)


class Wallet(NamedTuple):
    """A balance in minor units, and what is set aside of it for others.

    Never negative, never past 2^63-1 together; its version counts the movements of the balance. It gives transactions,
    and stays as it is: `after` a transaction is the wallet that the next one is made of.
    """

    user_id: UserId
    currency: Currency
    balance_minor: int = 0
    version: int = 0
    held_minor: int = 0
    """Payments do not change it."""
    moved_at: datetime | None = None
    """When it moved last, or later. Whatever moves it comes after that: what it held at a time is so for good."""

    def pay_out(self, id: TransactionId, payment_id: UUID, money: Money, at: datetime) -> Transaction:
        """Debit the wallet for a payment.

        Raises:
            InsufficientFunds: the wallet holds less.
            ValueError: the money is of another currency.
        """
        legs = self._legs(-money.amount_minor, money, Account.PAYMENTS)
        status = TransactionStatus.PENDING
        return Transaction(
            id, self.user_id, Kind.PAYMENT, status, money, legs, self._after_last(at), payment_id=payment_id
        )

    def refund(self, id: TransactionId, payment_id: UUID, money: Money, at: datetime) -> Transaction:
        """Credit the wallet with what a payment took.

        Raises:
            BalanceLimit: it does not fit; every credit keeps room for all pending payments, so it does.
            ValueError: the money is of another currency.
        """
        legs = self._legs(money.amount_minor, money, Account.PAYMENTS)
        status = TransactionStatus.COMPLETED
        return Transaction(
            id, self.user_id, Kind.REFUND, status, money, legs, self._after_last(at), payment_id=payment_id
        )

    def merchant_refund(self, id: TransactionId, payment_id: UUID, money: Money, at: datetime) -> Transaction:
        """Credit the wallet with what of a payment its merchant gives back. The transaction has the refund's id.

        Raises:
            BalanceLimit: it does not fit; every credit keeps room for all pending refunds, so it does.
            ValueError: the money is of another currency.
        """
        legs = self._legs(money.amount_minor, money, Account.PAYMENTS)
        status = TransactionStatus.COMPLETED
        return Transaction(
            id, self.user_id, Kind.MERCHANT_REFUND, status, money, legs, self._after_last(at), payment_id=payment_id
        )

    def pay_in(
        self, id: TransactionId, reference: str | None, money: Money, at: datetime, *, business_id: UUID | None = None
    ) -> Transaction:
        """Credit the wallet from outside.

        Raises:
            BalanceLimit: it does not fit.
            ValueError: the money is of another currency.
        """
        legs = self._legs(money.amount_minor, money, Account.FUNDING)
        return Transaction(
            id, self.user_id, Kind.FUNDING, TransactionStatus.COMPLETED, money, legs, self._after_last(at),
            reference=reference, business_id=business_id,
        )  # fmt: skip

    def transfer_out(self, transfer: CompletedTransfer, business_id: UUID | None) -> Transaction:
        """Debit the sender's wallet.

        Raises:
            InsufficientFunds: the wallet holds less.
            ValueError: the money is of another currency.
        """
        legs = self._legs(-transfer.money.amount_minor, transfer.money, Account.TRANSFERS)
        return Transaction(
            TransactionId(transfer.id), self.user_id, Kind.TRANSFER_OUT, TransactionStatus.COMPLETED, transfer.money,
            legs, self._after_last(transfer.created_at), counterparty=transfer.recipient, note=transfer.note,
            business_id=business_id,
        )  # fmt: skip

    def transfer_in(self, transfer: CompletedTransfer, business_id: UUID | None) -> Transaction:
        """Credit the recipient's wallet; see `has_room`.

        Raises:
            BalanceLimit: it does not fit.
            ValueError: the money is of another currency.
        """
        legs = self._legs(transfer.money.amount_minor, transfer.money, Account.TRANSFERS)
        return Transaction(
            TransactionId(transfer.id), self.user_id, Kind.TRANSFER_IN, TransactionStatus.COMPLETED, transfer.money,
            legs, self._after_last(transfer.created_at), counterparty=transfer.sender, note=transfer.note,
            business_id=business_id,
        )  # fmt: skip

    def set_aside(self, id: TransactionId, hold: Hold, money: Money, at: datetime) -> Transaction:
        """Debit the wallet for a hold: all of it, or what it grows by.

        Raises:
            InsufficientFunds: the wallet holds less.
            ValueError: the money is of another currency.
        """
        legs = self._legs(-money.amount_minor, money, Account.HELD)
        return self._of_a_hold(id, Kind.HOLD, hold, money, legs, at)

    def give_back(self, id: TransactionId, hold: Hold, money: Money, at: datetime) -> Transaction:
        """Credit the wallet with what is set aside no longer: there is room for it.

        Raises:
            ValueError: the money is of another currency.
        """
        legs = self._legs(money.amount_minor, money, Account.HELD)
        return self._of_a_hold(id, Kind.RELEASE, hold, money, legs, at)

    def capture_out(self, hold: Hold, at: datetime, fee_id: TransactionId | None) -> Transaction:
        """What the hold was captured for leaves what is set aside. The transaction has the hold's id."""
        money = Money(hold.captured_minor, hold.money.currency)
        legs = Entry(Account.HELD, -money.amount_minor), Entry(Account.TRANSFERS, money.amount_minor)
        return Transaction(
            TransactionId(hold.id), self.user_id, Kind.CAPTURE_OUT, TransactionStatus.COMPLETED, money, legs,
            self._after_last(at), business_id=hold.business_id, hold_id=hold.id, fee_id=fee_id,
        )  # fmt: skip

    def capture_in(self, hold: Hold, part: Part, at: datetime) -> Transaction:
        """Credit a beneficiary's wallet with a part; see `has_room`.

        Raises:
            BalanceLimit: it does not fit.
        """
        money = Money(part.amount_minor, hold.money.currency)
        legs = self._legs(money.amount_minor, money, Account.TRANSFERS)
        return Transaction(
            TransactionId(hold.id), self.user_id, Kind.CAPTURE_IN, TransactionStatus.COMPLETED, money, legs,
            self._after_last(at), counterparty=hold.owner, business_id=hold.business_id,
        )  # fmt: skip

    def take_fee(self, id: TransactionId, money: Money, at: datetime) -> Transaction:
        """Credit the house's wallet with its parts of a batch of captures.

        Raises:
            BalanceLimit: it does not fit.
        """
        legs = self._legs(money.amount_minor, money, Account.TRANSFERS)
        return Transaction(
            id, self.user_id, Kind.FEE, TransactionStatus.COMPLETED, money, legs, self._after_last(at)
        )  # fmt: skip

    def has_room(self, amount_minor: int, pending_minor: int) -> bool:
        """Whether a credit fits, with all that may come back: what is set aside, pending payments, pending refunds."""
        return self.balance_minor + self.held_minor + pending_minor + amount_minor <= MAX_MINOR

    def after(self, transaction: Transaction) -> "Wallet":
        """The wallet that the transaction leaves behind; it is one of this wallet's."""
        balance_minor, version, held_minor = self.balance_minor, self.version, self.held_minor
        for entry in transaction.entries:
            if entry.account is Account.WALLET:
                balance_minor, version = balance_minor + entry.amount_minor, version + 1
            elif entry.account is Account.HELD:
                held_minor += entry.amount_minor
        return Wallet(self.user_id, self.currency, balance_minor, version, held_minor, transaction.created_at)

    def _of_a_hold(
        self, id: TransactionId, kind: Kind, hold: Hold, money: Money, legs: tuple[Entry, Entry], at: datetime
    ) -> Transaction:
        return Transaction(
            id, self.user_id, kind, TransactionStatus.COMPLETED, money, legs, self._after_last(at),
            business_id=hold.business_id, hold_id=hold.id,
        )  # fmt: skip

    def _after_last(self, at: datetime) -> datetime:
        """When a movement happens: at that time, unless the clock has gone back behind the last one."""
        return at if self.moved_at is None or at > self.moved_at else self.moved_at + _MICROSECOND

    def _legs(self, signed_minor: int, money: Money, other: Account) -> tuple[Entry, Entry]:
        if money.currency != self.currency:
            raise ValueError(f"{money.currency} cannot be moved in a wallet of {self.currency}")
        balance_minor = self.balance_minor + signed_minor
        if balance_minor < 0:
            raise InsufficientFunds(self.currency, self.balance_minor, money.amount_minor)
        if balance_minor > MAX_MINOR:
            raise BalanceLimit
        return Entry(Account.WALLET, signed_minor, balance_minor, self.version + 1), Entry(other, -signed_minor)
