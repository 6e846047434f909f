"""The answers to sending and paying in, as they are stored with their key, and what they look like."""

from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct, field, json

from app.contexts.funds.adapters.http.bodies import ALICE, BOB, MOST_PAYOUTS
from app.contexts.funds.adapters.http.refusals import STORED
from app.contexts.funds.domain.bulk import Bulk
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.refusals import Refusal
from app.platform.http.keyed import refused
from app.platform.http.operations import Success
from app.platform.http.shapes import Amount, Code, Time, timestamp
from app.platform.idempotency.keys import Answer

_encode = json.Encoder().encode


class TransferShape(Struct, frozen=True):
    """Money that came to a user: from another, or, where `from` is null, from outside."""

    transfer_id: UUID
    sender: UUID | None = field(name="from")
    to: UUID
    amount: Amount
    currency: Code
    note: str | None
    status: Literal["COMPLETED"]
    created_at: Time


class PayoutShape(Struct, frozen=True):
    """What became of a transfer of a bulk; `index` is its place there."""

    index: Annotated[int, Meta(ge=0, lt=MOST_PAYOUTS)]
    transfer_id: UUID | None
    status: Literal["COMPLETED", "REFUSED"]
    error: Annotated[
        Literal["NOT_FOUND", "INSUFFICIENT_FUNDS", "BALANCE_LIMIT", "VALIDATION_ERROR"] | None,
        Meta(description="VALIDATION_ERROR: it was to go to its sender."),
    ]


class BulkShape(Struct, frozen=True):
    """What became of a bulk."""

    bulk_id: UUID
    mode: Literal["all", "each"]
    completed: Annotated[int, Meta(ge=0)]
    refused: Annotated[int, Meta(ge=0)]
    transfers: list[PayoutShape]


def _payout(index: int, outcome: TransferId | str) -> PayoutShape:
    if isinstance(outcome, str):
        return PayoutShape(index, None, "REFUSED", outcome)  # type: ignore[arg-type] # it knows no other codes
    return PayoutShape(index, outcome, "COMPLETED", None)


class HttpTransferAnswers:
    """Makes the bytes that are stored, sent, and replayed."""

    def completed(self, transfer: CompletedTransfer) -> Answer:
        """The transfer itself."""
        shape = TransferShape(
            transfer_id=transfer.id,
            sender=transfer.sender,
            to=transfer.recipient,
            amount=transfer.money.amount_minor,
            currency=transfer.money.currency,
            note=transfer.note,
            status="COMPLETED",
            created_at=timestamp(transfer.created_at),
        )
        return Answer(201, _encode(shape))

    def bulk(self, bulk: Bulk) -> Answer:
        """What became of each transfer."""
        lines = [_payout(index, outcome) for index, outcome in enumerate(bulk.outcomes)]
        completed = len(bulk.completed)
        shape = BulkShape(bulk.id, bulk.mode.value, completed, len(lines) - completed, lines)
        return Answer(201, _encode(shape))

    def refused(self, refusal: Refusal) -> Answer:
        """Why not: one of those that are stored."""
        return refused(STORED[type(refusal)], refusal)


_EXAMPLE: Final = {
    "transfer_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
    "from": ALICE,
    "to": BOB,
    "amount": 1250,
    "currency": "USD",
    "note": "for the concert",
    "status": "COMPLETED",
    "created_at": "2026-01-31T12:00:00.000000Z",
}
SENT: Final = Success(status=201, description="The transfer.", type=TransferShape, example=_EXAMPLE)
RECEIVED: Final = Success(
    status=201,
    description="What came in; the same again where the reference had paid in before.",
    type=TransferShape,
    example=_EXAMPLE | {"from": None, "amount": 5000, "note": None},
)
PAID_OUT: Final = Success(
    status=201,
    description="What became of each transfer, in their order.",
    type=BulkShape,
    example={
        "bulk_id": "0193a5b2-7c4e-7d15-8b3c-2d1e0f9a8b7c",
        "mode": "each",
        "completed": 1,
        "refused": 1,
        "transfers": [
            {"index": 0, "transfer_id": _EXAMPLE["transfer_id"], "status": "COMPLETED", "error": None},
            {"index": 1, "transfer_id": None, "status": "REFUSED", "error": "INSUFFICIENT_FUNDS"},
        ],
    },
)
