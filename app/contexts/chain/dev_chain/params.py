"""What a caller hands over, taken for what it has to be."""

import re
from collections.abc import Sequence
from typing import Any, Final

_QUANTITY: Final = re.compile("0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile("0x(?:[0-9a-fA-F]{2})*")
_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")


class Wrong(Exception):  # noqa: N818 -- an answer, not a fault
    """A parameter is none; the message says which."""


def quantity(value: Any, what: str) -> int:
    """A number, in hexadecimal or as one.

    Raises:
        Wrong: it is none.
    """
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    raise Wrong(f"{what} is no quantity")


def content(value: Any, what: str) -> bytes:
    """Bytes.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, str) and _DATA.fullmatch(value):
        return bytes.fromhex(value[2:])
    raise Wrong(f"{what} is no data in hexadecimal")


def address(value: Any, what: str = "the address") -> str:
    """An address, in lower case.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return value.lower()
    raise Wrong(f"{what} is no address")


def hash_of(value: Any, what: str) -> str:
    """A hash, in lower case.

    Raises:
        Wrong: it is none.
    """
    if len(content(value, what)) != 32:
        raise Wrong(f"{what} has no 32 bytes")
    return str(value).lower()


def fields(value: Any, what: str) -> dict[str, Any]:
    """An object.

    Raises:
        Wrong: it is none.
    """
    if not isinstance(value, dict):
        raise Wrong(f"{what} is no object")
    return value


def at(params: Sequence[Any], position: int, default: Any = None) -> Any:
    """The parameter at this position, or what stands for one that is not given."""
    return params[position] if position < len(params) and params[position] is not None else default
