"""How transfers and holds look as JSON."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.platform.http.shapes import Amount, Code, Time, timestamp


class TransferEventShape(Struct, frozen=True, rename={"from_": "from"}):
    """Money that moved from one user to another, or came from outside (`from` is null)."""

    transfer_id: UUID
    from_: UUID | None
    to: UUID
    amount: Amount
    currency: Code
    status: Literal["COMPLETED"]
    created_at: Time
    tenant_id: UUID


class HoldEventShape(Struct, frozen=True):
    """Money that is set aside. Open, `amount` is held; closed, `captured` and `released` are what became of it."""

    hold_id: UUID
    user_id: UUID
    context: str
    business_id: UUID
    amount: Amount
    captured: int
    released: int
    currency: Code
    status: Literal["OPEN", "CAPTURED", "RELEASED"]
    created_at: Time
    expires_at: Time | None


def transfer_event_shape(transfer: CompletedTransfer) -> TransferEventShape:
    """The transfer as it is told to the world: what is in the note is between the two."""
    return TransferEventShape(
        transfer.id,
        transfer.sender,
        transfer.recipient,
        transfer.money.amount_minor,
        transfer.money.currency,
        "COMPLETED",
        timestamp(transfer.created_at),
        transfer.tenant_id,
    )


def hold_event_shape(hold: Hold) -> HoldEventShape:
    """The hold as it is told to the world."""
    return HoldEventShape(
        hold.id,
        hold.owner,
        hold.context,
        hold.business_id,
        hold.money.amount_minor,
        hold.captured_minor,
        hold.released_minor,
        hold.money.currency,
        hold.status.value,
        timestamp(hold.created_at),
        None if hold.expires_at is None else timestamp(hold.expires_at),
    )
