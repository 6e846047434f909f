"""The contract's events, as a consumer reads them. Members that it does not know are left alone."""

import re
from datetime import datetime
from typing import Annotated, Final, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

T = TypeVar("T")
Shape: TypeAlias = type[T]
Time = Annotated[datetime, Meta(tz=True)]
MAX_SEQUENCE: Final = 2**15 - 1
"""What the columns of outbox and audit trail take."""


class Malformed(Exception):  # noqa: N818 -- it says what the message is
    """Not JSON, or not an event of the contract. The reason names the member, and quotes nothing."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event. `subject` is the id of what it is about, `sequence` its place among the events of that, from 1."""

    id: UUID
    type: Annotated[str, Meta(min_length=1)]
    subject: UUID
    time: Time
    sequence: Annotated[int, Meta(ge=1, le=MAX_SEQUENCE)]
    data: msgspec.Raw = msgspec.Raw(b"null")

    def data_as(self, shape: Shape[T]) -> T:
        """The event's data in a shape of yours: a `msgspec.Struct` with the members that you need, or `dict`.

        Raises:
            Malformed: it does not have that shape.
        """
        try:
            return msgspec.json.decode(self.data, type=shape, strict=False)
        except _NOT_READABLE as error:
            raise Malformed(f"data: {_reason(error)}") from None


class _Subject(msgspec.Struct, frozen=True, gc=False):
    subject: UUID


class _Id(msgspec.Struct, frozen=True, gc=False):
    id: UUID


class _Time(msgspec.Struct, frozen=True, gc=False):
    time: Time


_NOT_READABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Some of msgspec's errors quote the value that they are about: of a Literal, an enum, or a tag.
_QUOTED: Final = re.compile(r"(?<=nvalid )((?:enum )?value )(?:.*(?= - at `[^`]*`\Z)|.*)", re.DOTALL)

# Numbers in strings are taken as numbers: the envelope's attributes are strings in other bindings of CloudEvents.
_events: Final = msgspec.json.Decoder(Event, strict=False)
_subjects: Final = msgspec.json.Decoder(_Subject)
_ids: Final = msgspec.json.Decoder(_Id)
_times: Final = msgspec.json.Decoder(_Time)


def event(document: bytes) -> Event:
    """The event in the document.

    Raises:
        Malformed: it is not an event.
    """
    return decoded(_events, document)


def decoded(decoder: msgspec.json.Decoder[T], document: bytes) -> T:
    """The document in the decoder's shape.

    Raises:
        Malformed: it does not have that shape.
    """
    try:
        return decoder.decode(document)
    except _NOT_READABLE as error:
        raise Malformed(_reason(error)) from None


def subject(document: bytes) -> UUID | None:
    """The payment id that the document names, however malformed the rest of it is; None if it names none."""
    try:
        return _subjects.decode(document).subject
    except _NOT_READABLE:
        return None


def event_id(document: bytes) -> UUID | None:
    """The event's id that the document names; None if it names none."""
    try:
        return _ids.decode(document).id
    except _NOT_READABLE:
        return None


def time(document: bytes) -> datetime | None:
    """When the document says that its event happened; None if it does not."""
    try:
        return _times.decode(document).time
    except _NOT_READABLE:
        return None


def known_id(text: str | None) -> UUID | None:
    """A message's id, if it is of the form of ours: another publisher's may be anything, and stays out of the log."""
    try:
        return UUID(text)
    except (TypeError, ValueError):
        return None


def known_trace(text: str | None) -> str | None:
    """The trace context that an event names, if it is one: what is none is not told on in events of ours, which others
    would choke on."""
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


def _reason(error: Exception) -> str:
    return _QUOTED.sub(r"\1…", str(error)) if isinstance(error, msgspec.DecodeError) else type(error).__name__
