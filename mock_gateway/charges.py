"""What the gateway remembers: at most one charge a payment, and tombstones that never expire.

Every step here is one synchronous call on the event loop, and that alone serialises a payment's requests.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mock_gateway.journal import Journal
from mock_gateway.refunds import Refunded, Refunds
from mock_gateway.values import Amount, Currency, PaymentId, RefundId, UuidText


# The structs below stay strings and ints with gc=False, so that half a million of them do not slow the collector.
class ChargeRequest(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The body of `POST /charges`. Ids in another case are the same ids; `amount` is in minor units."""

    payment_id: UuidText
    provider_id: UuidText
    external_reference: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,140}\Z")]
    amount: Amount
    currency: Currency

    def __post_init__(self) -> None:
        self.payment_id = self.payment_id.lower()
        self.provider_id = self.provider_id.lower()


class Charge(msgspec.Struct, frozen=True, gc=False):
    """A charge as it is answered."""

    charge_id: str
    payment_id: str
    amount: int
    currency: str
    status: Literal["APPROVED", "DECLINED"]
    decline_code: str | None


class Charged(msgspec.Struct, frozen=True, gc=False, tag="charged"):
    """The journal's line of a charge that was made."""

    at_s: float
    request: ChargeRequest
    charge: Charge


class Voided(msgspec.Struct, frozen=True, gc=False, tag="voided"):
    """The journal's line of a tombstone. In an older journal it does not say when it was put."""

    payment_id: UuidText
    at_s: float = 0.0


_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(Charged | Voided | Refunded).decode


class Attempts(msgspec.Struct, gc=False):
    """How many well-formed requests a payment has seen, by endpoint, since the process began."""

    charge: int = 0
    ask: int = 0
    void: int = 0


class Record(msgspec.Struct, gc=False):
    """All that the gateway knows of one payment. Without a charge or a tombstone it was only heard of."""

    payment_id: PaymentId
    attempts: Attempts
    request: ChargeRequest | None = None
    charge: Charge | None = None
    charged_at_s: float = 0.0
    charges_made: int = 0
    charges_refused: int = 0
    voided: bool = False
    voided_at_s: float = 0.0

    def refuses(self, request: ChargeRequest) -> bool:
        """Whether the payment's charge was made for another request than this one."""
        return self.charge is not None and not self.voided and self.request != request

    @property
    def status(self) -> Literal["APPROVED", "DECLINED", "VOIDED"] | None:
        """What stands, or None for a payment that was only heard of."""
        if self.voided:
            return "VOIDED"
        return self.charge.status if self.charge else None


class Entry(msgspec.Struct):
    """A payment as `GET /admin/charges` shows it. What there is no value for, for want of a charge, is null."""

    payment_id: str
    status: str | None
    charge_id: str | None
    amount: int | None
    currency: str | None
    decline_code: str | None
    requested_amount: int | None
    provider_id: str | None
    external_reference: str | None
    charged_at: datetime | None
    charges_made: int
    charges_refused: int
    attempts: Attempts


def _entry(record: Record) -> Entry:
    charge, request = record.charge, record.request
    return Entry(
        payment_id=record.payment_id,
        status=record.status,
        charge_id=charge.charge_id if charge else None,
        amount=charge.amount if charge else None,
        currency=charge.currency if charge else None,
        decline_code=charge.decline_code if charge else None,
        requested_amount=request.amount if request else None,
        provider_id=request.provider_id if request else None,
        external_reference=request.external_reference if request else None,
        charged_at=datetime.fromtimestamp(record.charged_at_s, UTC) if charge else None,
        charges_made=record.charges_made,
        charges_refused=record.charges_refused,
        attempts=record.attempts,
    )


class Charges:
    """The records by payment, as long as the process lives, or with a journal as long as that does.

    The journal keeps charges and tombstones. Counts (attempts, refused charges) begin anew with the process, as the
    mode and its seed do: what is drawn follows from the mode that was set and from the requests since then.
    """

    def __init__(self) -> None:
        self._records: dict[PaymentId, Record] = {}
        self._journal: Journal | None = None
        self.refunds = Refunds()

    @classmethod
    def kept_in(cls, journal: Journal) -> "Charges":
        """The charges and tombstones of a journal, which is written on from here.

        Raises:
            ValueError: a line is not what was once written; the message names file and line.
        """
        charges = cls()
        journal.read_back(charges._read_line)
        charges._write_to(journal)
        return charges

    def _read_line(self, line: bytes) -> None:
        change = _decode_line(line)
        if isinstance(change, Voided):
            self._void(self.of(PaymentId(change.payment_id)), change)
        elif isinstance(change, Refunded):
            payment_id, refund_id = PaymentId(change.refund.payment_id), RefundId(change.refund.refund_id)
            if not self.refunds.make(self.refunds.of(payment_id, refund_id), change):
                raise ValueError("a refund that was made before")
        elif not self._make(self.of(PaymentId(change.request.payment_id)), change):
            raise ValueError("a charge for a payment that was charged or voided before")

    def put_away(self) -> "Charges":
        """Empty the journal and begin anew with it; what is under way still ends, in this book, unwritten.

        Raises:
            OSError: the journal cannot be emptied; nothing has changed.
        """
        fresh = Charges()
        if self._journal:
            self._journal.empty()
            fresh._write_to(self._journal)
            self._write_to(None)
        return fresh

    def _write_to(self, journal: Journal | None) -> None:
        self._journal = self.refunds.journal = journal

    def of(self, payment_id: PaymentId) -> Record:
        """The payment's record, begun when this is the first time it is heard of."""
        record = self._records.get(payment_id)
        if record is None:
            record = self._records[payment_id] = Record(payment_id, Attempts())
        return record

    def take(self, record: Record, request: ChargeRequest, charge: Charge) -> bool:
        """Make this charge; True if it was made. The first one stands, and none is made after a void.

        Raises:
            OSError: the journal did not take it, and it was not made.
        """
        return self._make(record, Charged(time.time(), request, charge))

    def _make(self, record: Record, made: Charged) -> bool:
        if record.voided:
            record.charges_refused += 1
            return False
        if record.charge is not None:
            return False
        if self._journal:
            self._journal.append(_encode(made))
        record.request, record.charge, record.charged_at_s = made.request, made.charge, made.at_s
        record.charges_made += 1
        return True

    def void(self, record: Record) -> None:
        """See to it that no charge stands from now on. A declined charge never stood and stays declined.

        Raises:
            OSError: the journal did not take the tombstone, and there is none.
        """
        self._void(record, Voided(record.payment_id, time.time()))

    def _void(self, record: Record, tombstone: Voided) -> None:
        if record.status in ("VOIDED", "DECLINED"):
            return
        if self._journal:
            self._journal.append(_encode(tombstone))
        record.voided, record.voided_at_s = True, tombstone.at_s

    def entry(self, payment_id: PaymentId) -> Entry | None:
        """What is known of one payment, one that was only heard of included (its status is None)."""
        record = self._records.get(payment_id)
        return _entry(record) if record else None

    def records(self) -> Sequence[Record]:
        """All records as they are now."""
        return [*self._records.values()]

    def listing(self, entries_a_piece: int = 500) -> Iterator[bytes]:
        """All charges and tombstones as JSON, in pieces: the whole may be larger than one would hold."""
        records = [record for record in self.records() if record.status]
        yield b'{"charges":['
        for start in range(0, len(records), entries_a_piece):
            piece = [_entry(record) for record in records[start : start + entries_a_piece]]
            yield (b"," if start else b"") + msgspec.json.encode(piece)[1:-1]
        yield b"]}"
