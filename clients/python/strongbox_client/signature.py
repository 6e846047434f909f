"""What a signature says of requests and answers: where each argument goes, and what is read."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args

import msgspec

from strongbox_client.calls import UNREADABLE, Answer, Who
from strongbox_client.errors import UnexpectedAnswer
from strongbox_client.values import decoded, text_of

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True)
class Place:
    """Where an argument goes that is neither in the path nor where its method puts it, and under which name. A version
    goes there as an entity tag."""

    where: str
    name: str = ""
    is_version: bool = False


Key = Annotated[str | None, Place("header", IDEMPOTENCY_KEY)]
"""Names the request. A client makes one where none is given, and repeats with it; give one that you keep, and the same
request is done once even if your own program dies before it has the answer."""


@dataclass(frozen=True, slots=True)
class Head:
    """What of an operation its signature does not say. `member`: where in the answer it is what one wants. `repeats`:
    the same again is answered the same, without a key."""

    method: str
    template: str
    who: Who
    member: str | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an operation. A `default` is not sent."""

    name: str
    where: str
    wire_name: str
    kind: Any
    default: Any
    is_version: bool

    def text(self, value: Any) -> str:
        """The value as it is sent."""
        return f'"{value}"' if self.is_version else text_of(value)


def argument_of(parameter: inspect.Parameter, hint: Any, head: Head) -> Argument:
    """What a parameter of a signature is on the wire."""
    (place,) = [each for each in get_args(hint) if isinstance(each, Place)] or [Place("")]
    usual = "query" if head.method == "GET" else "member"
    where = "path" if f"{{{parameter.name}}}" in head.template else place.where or usual
    name = place.name or parameter.name.rstrip("_")
    return Argument(parameter.name, where, name, hint, parameter.default, place.is_version)


def reading(kind: Any, member: str | None) -> Callable[[Answer], Any]:
    """What reads a value of the kind out of an answer: the whole of it, or one of its members."""
    if member is not None:
        wrapped = reading(msgspec.defstruct("Answer", [(member, kind)]), None)
        return lambda answer: getattr(wrapped(answer), member)

    def read(answer: Answer) -> Any:
        if kind is None or answer.status == NOT_MODIFIED:
            return None
        if kind is bytes:
            return answer.body
        try:
            return decoded(answer.body, kind)
        except UNREADABLE as error:
            raise UnexpectedAnswer(answer.status, f"it is not what was asked for: {error}") from None

    return read


def pairs(name: str, value: Any) -> list[tuple[str, str]]:
    """What stands in the query: of a mapping a parameter for each of its members."""
    if isinstance(value, Mapping):
        return [(f"{name}.{key}", text_of(each)) for key, each in value.items()]
    return [(name, text_of(value))]
