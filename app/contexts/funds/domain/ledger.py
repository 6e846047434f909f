"""Double entry: a transaction's entries sum to zero because they can only be made in pairs."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.contexts.funds.domain.ids import HoldId, TransactionId
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money


class Kind(StrEnum):
    """Why money moved."""

    FUNDING = "FUNDING"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    """What a payment took comes back, as it was declined or failed: payments → wallet."""
    MERCHANT_REFUND = "MERCHANT_REFUND"
    """Of what was paid the merchant gives something back: payments → wallet."""
    TRANSFER_OUT = "TRANSFER_OUT"
    """To another user: wallet → transfers."""
    TRANSFER_IN = "TRANSFER_IN"
    """From another user: transfers → wallet."""
    HOLD = "HOLD"
    """Set aside: wallet → held."""
    RELEASE = "RELEASE"
    """No longer set aside: held → wallet."""
    CAPTURE_OUT = "CAPTURE_OUT"
    """What was set aside goes to others: held → transfers. The wallet has no part in it."""
    CAPTURE_IN = "CAPTURE_IN"
    """A part of what was set aside by another user: transfers → wallet."""
    FEE = "FEE"
    """The house's parts of a batch of captures: transfers → wallet."""


class Account(StrEnum):
    """Where money is. A user has one of each in every currency."""

    WALLET = "wallet"
    PAYMENTS = "payments"
    """Paid, or held for a payment that is not final yet."""
    FUNDING = "funding"
    """The outside that money comes from: its balance is minus all that was ever paid in."""
    HELD = "held"
    """Set aside for others, and still the user's own."""
    TRANSFERS = "transfers"
    """To and from other users: over all users it sums to zero."""


class TransactionStatus(StrEnum):
    """A payment's transaction has its payment's status; all others are complete at once."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"


class Entry(NamedTuple):
    """One leg of a transaction: a signed amount on an account, in minor units.

    A wallet's leg carries the balance after it and its place in the wallet's history; no other leg does.
    """

    account: Account
    amount_minor: int
    balance_after_minor: int | None = None
    wallet_version: int | None = None


class Transaction(NamedTuple):
    """A movement of money between two accounts of a user. The wallet's leg, where it has one, comes first.

    The movements of the users in a transfer, or in the capture of a hold, share their id.
    """

    id: TransactionId
    user_id: UserId
    kind: Kind
    status: TransactionStatus
    money: Money
    entries: tuple[Entry, Entry]
    created_at: datetime
    payment_id: UUID | None = None
    reference: str | None = None
    counterparty: UserId | None = None
    """From or to whom, where that is one user."""
    note: str | None = None
    business_id: UUID | None = None
    """What another context did it for."""
    hold_id: HoldId | None = None
    """The user's own hold that it made, changed or closed."""
    fee_id: TransactionId | None = None
    """The FEE that the house's part of this capture is in."""

    @property
    def currency(self) -> Currency:
        """The currency of both legs."""
        return self.money.currency
