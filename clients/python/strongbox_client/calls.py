"""What is asked of the service, and how what it says is read. Nothing here knows how it is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from strongbox_client.codes import KINDS
from strongbox_client.errors import ApiError, StrongboxError, TokenRefused, UnexpectedAnswer
from strongbox_client.values import decoded

T = TypeVar("T")

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class Again(Enum):
    """When a request may be repeated though it may have been heard."""

    ALWAYS = auto()
    """It reads, or the same again is answered the same."""
    BY_KEY = auto()
    """Its key sees to it that it is done once."""
    NEVER = auto()


class Who(Enum):
    """What a request shows."""

    API_KEY = auto()
    CREDENTIAL = auto()
    NOBODY = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, headers by their names in lower case, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether it is what was asked for: 304, too, is to whoever asked for what is new."""
        return 200 <= self.status < 300 or self.status == 304


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what is made of the answer. `name` is method and template, for logs: it tells nothing of whom."""

    name: str
    method: str
    path: str
    who: Who
    again: Again
    read: Callable[[Answer], T]
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    key: str | None = None

    @property
    def writes(self) -> bool:
        """Whether something may have happened when nobody knows what became of it."""
        return self.method != "GET"

    def after(self, cursor: str) -> "Call[T]":
        """The same from that place on."""
        rest = tuple(pair for pair in self.query if pair[0] != "cursor")
        return replace(self, query=(*rest, ("cursor", cursor)))


class _Said(Struct, frozen=True):
    code: str
    message: str
    details: dict[str, Any]


class _Envelope(Struct, frozen=True):
    error: _Said


class _OAuth(Struct, frozen=True):
    error: str
    error_description: str = ""


def error_of(answer: Answer) -> StrongboxError:
    """What an answer that is no success says."""
    for reading in (_coded, _of_oauth):
        try:
            return reading(answer)
        except UNREADABLE:
            continue
    return UnexpectedAnswer(answer.status, "it does not say why as the service does")


def _coded(answer: Answer) -> StrongboxError:
    said = decoded(answer.body, _Envelope).error
    kind, request_id = KINDS.get(said.code), answer.headers.get("x-request-id")
    if kind is None or kind.http_status != answer.status:
        return ApiError(answer.status, said.code, said.message, said.details, request_id)
    return kind(said.message, said.details, request_id)


def _of_oauth(answer: Answer) -> StrongboxError:
    said = decoded(answer.body, _OAuth)
    return TokenRefused(answer.status, said.error, said.error_description)
