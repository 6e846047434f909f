"""What is read of wallets, and of the service, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.funds.application.read_transactions import Page
from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.platform.http.queries import to_cursor
from app.platform.http.shapes import Amount, Code, Time, timestamp

BalanceAmount = Annotated[int, Meta(ge=0, description="Minor units (cents).", extra_json_schema={"maximum": MAX_MINOR})]

Kind = Literal[
    "FUNDING",
    "PAYMENT",
    "REFUND",
    "MERCHANT_REFUND",
    "TRANSFER_OUT",
    "TRANSFER_IN",
    "FEE",
    "HOLD",
    "RELEASE",
    "CAPTURE_OUT",
    "CAPTURE_IN",
]
Direction = Literal["DEBIT", "CREDIT"]
Status = Literal["PENDING", "APPROVED", "DECLINED", "FAILED", "COMPLETED"]


class BalanceShape(Struct, frozen=True):
    """What a wallet holds."""

    currency: Code
    current_balance: BalanceAmount
    updated_at: Time


class BalancesShape(Struct, frozen=True):
    """A user's wallets, by currency."""

    user_id: UUID
    balances: list[BalanceShape]


class TransactionShape(Struct, frozen=True):
    """A movement of a wallet. Funding and refunds are COMPLETED; a payment's movement has the payment's status."""

    transaction_id: UUID
    kind: Kind
    direction: Direction
    amount: Amount
    currency: Code
    status: Status
    balance_after: BalanceAmount | None
    payment_id: UUID | None
    provider_id: UUID | None
    external_reference: str | None
    created_at: Time


class TransactionsShape(Struct, frozen=True):
    """A page of movements, newest first. `next_cursor` asks for the next page."""

    transactions: list[TransactionShape]
    next_cursor: str | None


def balances_shape(user_id: UserId, balances: Sequence[Balance]) -> BalancesShape:
    """A user's balances as they are answered."""
    return BalancesShape(
        user_id,
        [BalanceShape(b.currency, b.current_balance, timestamp(b.updated_at)) for b in balances],
    )


def transactions_shape(user_id: UserId, page: Page) -> TransactionsShape:
    """A page as it is answered."""
    return TransactionsShape(
        [TransactionShape(*members_of(line)) for line in page.lines],
        None if page.next is None else to_cursor(user_id, page.next),
    )


_Members = tuple[UUID, Kind, Direction, int, str, Status, int | None, UUID | None, UUID | None, str | None, str]


def members_of(line: TransactionLine) -> _Members:
    """The members of a movement, in their order."""
    return (
        line.transaction_id,
        line.kind,  # type: ignore[return-value] # the database knows no other kinds and statuses
        "DEBIT" if line.is_debit else "CREDIT",
        line.amount,
        line.currency,
        line.status,
        line.balance_after,
        line.payment_id,
        line.provider_id,
        line.external_reference,
        timestamp(line.created_at),
    )
