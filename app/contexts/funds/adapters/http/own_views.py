"""What somebody sees of their own money, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.funds.adapters.http.views import BalanceAmount, TransactionShape, members_of
from app.contexts.funds.application.read_holds import HoldLine
from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.kernel.ids import UserId
from app.platform.http.shapes import Amount, Code, Time, timestamp
from app.platform.people import Person


class OwnBalanceShape(Struct, frozen=True):
    """What can be spent of a wallet, and what is set aside."""

    currency: Code
    current_balance: BalanceAmount
    held: BalanceAmount
    updated_at: Time


class WalletShape(Struct, frozen=True):
    """One's own wallets, by currency; none where no money has come in."""

    user_id: UUID
    balances: list[OwnBalanceShape]


class CounterpartyShape(Struct, frozen=True):
    """Whom money came from, or went to."""

    user_id: UUID
    username: str | None


class OwnTransactionShape(TransactionShape, frozen=True):
    """A movement of one's own money: in or out of the wallet, or on from what is set aside."""

    account: Annotated[
        Literal["wallet", "held"], Meta(description="What moved: the wallet, or what is set aside of it.")
    ]
    counterparty: CounterpartyShape | None
    note: str | None
    business_id: UUID | None


class OwnTransactionsShape(Struct, frozen=True):
    """A page of movements, newest first. `next_cursor` asks for the next page."""

    transactions: list[OwnTransactionShape]
    next_cursor: str | None


class HoldShape(Struct, frozen=True):
    """Money that is set aside for a business: `captured` of it went to others, `released` came back."""

    hold_id: UUID
    context: Annotated[str, Meta(description="Whose business it is: the name of a part of this service.")]
    business_id: UUID
    amount: Amount
    captured: BalanceAmount
    released: BalanceAmount
    currency: Code
    status: Literal["OPEN", "CAPTURED", "RELEASED"]
    created_at: Time
    expires_at: Time | None


class HoldsShape(Struct, frozen=True):
    """A page of holds, newest first. `next_cursor` asks for the next page."""

    holds: list[HoldShape]
    next_cursor: str | None


def wallet_shape(user_id: UserId, balances: Sequence[Balance]) -> WalletShape:
    """One's own wallets as they are answered."""
    return WalletShape(
        user_id,
        [OwnBalanceShape(b.currency, b.current_balance, b.held, timestamp(b.updated_at)) for b in balances],
    )


def own_transaction(line: TransactionLine, people: Mapping[UUID, Person]) -> OwnTransactionShape:
    """A line as it is answered. `people` are those that may be named."""
    other = people.get(line.counterparty) if line.counterparty else None
    return OwnTransactionShape(
        *members_of(line),
        "wallet" if line.balance_after is not None else "held",
        CounterpartyShape(other.id, other.username) if other else None,
        line.note,
        line.business_id,
    )


def hold_shape(line: HoldLine) -> HoldShape:
    """A hold as it is answered."""
    return HoldShape(
        hold_id=line.hold_id,
        context=line.context,
        business_id=line.business_id,
        amount=line.amount,
        captured=line.captured,
        released=line.released,
        currency=line.currency,
        status=line.status,  # type: ignore[arg-type] # the database knows no other
        created_at=timestamp(line.created_at),
        expires_at=None if line.expires_at is None else timestamp(line.expires_at),
    )
