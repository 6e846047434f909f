"""What the gateway gives back of its charges: once for each refund's id, and never more than was charged."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from mock_gateway.journal import Journal
from mock_gateway.values import Amount, Currency, PaymentId, RefundId, UuidText


class RefundRequest(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The body of `POST /charges/{payment_id}/refunds`. Ids in another case are the same ids."""

    refund_id: UuidText
    amount: Amount
    currency: Currency

    def __post_init__(self) -> None:
        self.refund_id = self.refund_id.lower()


class Refund(msgspec.Struct, frozen=True, gc=False):
    """A refund as it is answered."""

    refund_id: str
    payment_id: str
    amount: int
    currency: str
    status: Literal["REFUNDED", "REFUSED"]
    code: str | None


class Refunded(msgspec.Struct, frozen=True, gc=False, tag="refunded"):
    """The journal's line of a refund, one that was refused included."""

    at_s: float
    request: RefundRequest
    refund: Refund


class Attempts(msgspec.Struct, gc=False):
    """How many well-formed requests a refund has seen, by endpoint, since the process began."""

    refund: int = 0
    ask: int = 0


class Heard(msgspec.Struct, gc=False):
    """All that the gateway knows of one refund. Without an answer it was only heard of."""

    attempts: Attempts
    request: RefundRequest | None = None
    refund: Refund | None = None
    refunded_at_s: float = 0.0


class Entry(msgspec.Struct):
    """A refund as `GET /admin/refunds` shows it."""

    refund_id: str
    payment_id: str
    status: str
    amount: int
    currency: str
    code: str | None
    requested_amount: int
    refunded_at: datetime
    attempts: Attempts


_encode = msgspec.json.Encoder().encode


class Refunds:
    """The refunds by payment and id, as long as the charges live."""

    def __init__(self) -> None:
        self._heard: dict[tuple[PaymentId, RefundId], Heard] = {}
        self._given_back: dict[PaymentId, int] = {}
        self.journal: Journal | None = None

    def of(self, payment_id: PaymentId, refund_id: RefundId) -> Heard:
        """What is known of the refund, begun when this is the first time it is heard of."""
        return self._heard.setdefault((payment_id, refund_id), Heard(Attempts()))

    def given_back(self, payment_id: PaymentId) -> int:
        """What was given back of a charge, in minor units."""
        return self._given_back.get(payment_id, 0)

    def take(self, heard: Heard, request: RefundRequest, refund: Refund) -> bool:
        """Let this be the refund; True if it is. The first one stands.

        Raises:
            OSError: the journal did not take it, and it was not made.
        """
        return self.make(heard, Refunded(time.time(), request, refund))

    def make(self, heard: Heard, made: Refunded) -> bool:
        """The same, as a line of the journal has it."""
        if heard.refund is not None:
            return False
        if self.journal:
            self.journal.append(_encode(made))
        heard.request, heard.refund, heard.refunded_at_s = made.request, made.refund, made.at_s
        if made.refund.status == "REFUNDED":
            payment_id = PaymentId(made.refund.payment_id)
            self._given_back[payment_id] = self._given_back.get(payment_id, 0) + made.refund.amount
        return True

    def given(self) -> Sequence[tuple[Refund, float]]:
        """What was given back, with its time."""
        made = ((each.refund, each.refunded_at_s) for each in self._heard.values())
        return [(refund, at_s) for refund, at_s in made if refund and refund.status == "REFUNDED"]

    def listing(self, entries_a_piece: int = 500) -> Iterator[bytes]:
        """All refunds as JSON, in pieces: the whole may be larger than one would hold."""
        entries = [_entry(heard, heard.request, heard.refund) for heard in self._heard.values()
                   if heard.request and heard.refund]  # fmt: skip
        yield b'{"refunds":['
        for start in range(0, len(entries), entries_a_piece):
            piece = entries[start : start + entries_a_piece]
            yield (b"," if start else b"") + msgspec.json.encode(piece)[1:-1]
        yield b"]}"


def _entry(heard: Heard, request: RefundRequest, refund: Refund) -> Entry:
    return Entry(
        refund_id=refund.refund_id,
        payment_id=refund.payment_id,
        status=refund.status,
        amount=refund.amount,
        currency=refund.currency,
        code=refund.code,
        requested_amount=request.amount,
        refunded_at=datetime.fromtimestamp(heard.refunded_at_s, UTC),
        attempts=heard.attempts,
    )
