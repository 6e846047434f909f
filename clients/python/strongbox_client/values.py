"""What bodies and answers are made of, and how they become JSON and back."""

from enum import StrEnum
from typing import Any, Final, Self, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")


class BaseUnits(int):
    """Whole base units of the token. In JSON it is a string of digits, as it may be up to 2^256-1."""


class Vocabulary(StrEnum):
    """Words of the service's, of which there may be more some day: one that this version does not know is kept as it
    came. Whoever branches on one has a branch for any other."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        unknown = str.__new__(cls, str(value))
        unknown._name_ = unknown._value_ = str(value)
        return unknown


def encoded(value: Any) -> bytes:
    """The value as JSON."""
    return msgspec.json.encode(value, enc_hook=_to_json)


def text_of(value: Any) -> str:
    """The value as text of a path, a query or a header."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(msgspec.to_builtins(value, enc_hook=_to_json))


def decoded(body: bytes, kind: type[T]) -> T:
    """What the JSON says, as a value of the kind. Members that this version does not know are left out.

    Raises:
        msgspec.MsgspecError: it is no JSON, or none of such a value.
        UnicodeDecodeError: it is not UTF-8.
    """
    return msgspec.json.decode(body, type=kind, dec_hook=_from_json)


def converted(value: Any, kind: type[T]) -> T:
    """The same of JSON that has been decoded.

    Raises:
        msgspec.ValidationError: it is none of such a value.
    """
    return msgspec.convert(value, kind, dec_hook=_from_json)


def _to_json(value: Any) -> Any:
    if isinstance(value, BaseUnits):
        return str(int(value))
    raise NotImplementedError(f"{type(value).__name__} is not for JSON")


def _from_json(kind: type, value: Any) -> Any:
    if kind is not BaseUnits:
        raise NotImplementedError(f"JSON has no {kind.__name__}")
    if not isinstance(value, str):
        raise ValueError("base units are a string of digits")
    return BaseUnits(value)


__all__: Final = ["UNSET", "BaseUnits", "UnsetType", "Vocabulary", "converted", "decoded", "encoded", "text_of"]
