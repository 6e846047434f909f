"""The consumers' own shapes of the contract's events. Members they do not know are left alone."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]


class Malformed(Exception):  # noqa: N818 -- it says what the message is
    """Not JSON, or not an event of the contract. The reason names the member, and quotes nothing."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event's envelope. `subject` is the payment's id, `sequence` the event's place among the payment's."""

    id: UUID
    type: Annotated[str, Meta(min_length=1)]
    subject: UUID
    time: Time
    sequence: Annotated[int, Meta(ge=1, le=3)]


class Payment(msgspec.Struct, frozen=True, gc=False):
    """What the metrics need of a payment. `amount` is in minor units."""

    # A pattern, not a Literal: what becomes a label is known beforehand, and the error that says so quotes nothing.
    status: Annotated[str, Meta(pattern=r"\A(?:PENDING|APPROVED|DECLINED|FAILED)\Z")]
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3,5}\Z")]
    amount: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class PaymentEvent(msgspec.Struct, frozen=True, gc=False):
    """An event about a payment that carries it."""

    id: UUID
    time: Time
    data: Payment


class _Subject(msgspec.Struct, frozen=True, gc=False):
    subject: UUID


# Numbers in strings are taken as numbers: the envelope's attributes are strings in other bindings of CloudEvents.
_events: Final = msgspec.json.Decoder(Event, strict=False)
_payment_events: Final = msgspec.json.Decoder(PaymentEvent, strict=False)
_subjects: Final = msgspec.json.Decoder(_Subject)


def event(document: bytes) -> Event:
    """The document's envelope.

    Raises:
        Malformed: it is not an event.
    """
    try:
        return _events.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(_reason(error)) from None


def payment_event(document: bytes) -> PaymentEvent:
    """The payment in the document.

    Raises:
        Malformed: it is not an event about a payment.
    """
    try:
        return _payment_events.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(_reason(error)) from None


def subject(document: bytes) -> UUID | None:
    """The payment id that the document names, however malformed the rest of it is; None if it names none."""
    try:
        return _subjects.decode(document).subject
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def known_id(text: str | None) -> UUID | None:
    """A message's id, if it is of the form of ours: another publisher's may be anything, and stays out of the log."""
    try:
        return UUID(text)
    except (TypeError, ValueError):
        return None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
