"""What is read of wallets, and of the service, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.adapters.http.queries import to_cursor
from app.adapters.shapes import Amount, Code, Time, timestamp
from app.application.ports import Balance, TransactionLine
from app.application.wallets.read_transactions import Page
from app.domain.ids import UserId
from app.domain.money import MAX_MINOR

BalanceAmount = Annotated[int, Meta(ge=0, description="Minor units (cents).", extra_json_schema={"maximum": MAX_MINOR})]


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
    kind: Literal["FUNDING", "PAYMENT", "REFUND"]
    direction: Literal["DEBIT", "CREDIT"]
    amount: Amount
    currency: Code
    status: Literal["PENDING", "APPROVED", "DECLINED", "FAILED", "COMPLETED"]
    balance_after: BalanceAmount
    payment_id: UUID | None
    provider_id: UUID | None
    external_reference: str | None
    created_at: Time


class TransactionsShape(Struct, frozen=True):
    """A page of movements, newest first. `next_cursor` asks for the next page."""

    transactions: list[TransactionShape]
    next_cursor: str | None


class Health(Struct, frozen=True):
    """The process is there."""

    status: Literal["ok"]


def balances_shape(user_id: UserId, balances: Sequence[Balance]) -> BalancesShape:
    """A user's balances as they are answered."""
    return BalancesShape(
        user_id,
        [BalanceShape(b.currency, b.current_balance, timestamp(b.updated_at)) for b in balances],
    )


def transactions_shape(user_id: UserId, page: Page) -> TransactionsShape:
    """A page as it is answered."""
    return TransactionsShape(
        [_transaction(line) for line in page.lines],
        None if page.next is None else to_cursor(user_id, page.next),
    )


def _transaction(line: TransactionLine) -> TransactionShape:
    return TransactionShape(
        transaction_id=line.transaction_id,
        kind=line.kind,  # type: ignore[arg-type] # the database knows no other
        direction="DEBIT" if line.kind == "PAYMENT" else "CREDIT",
        amount=line.amount,
        currency=line.currency,
        status=line.status,  # type: ignore[arg-type] # nor here
        balance_after=line.balance_after,
        payment_id=line.payment_id,
        provider_id=line.provider_id,
        external_reference=line.external_reference,
        created_at=timestamp(line.created_at),
    )
