"""What is kept, as bytes."""

from typing import Any, Final

import msgspec

from app.platform.cache.ports import Kind

_encode: Final = msgspec.msgpack.Encoder().encode


class Unreadable(Exception):  # noqa: N818 -- it says what the value is
    """Bytes that are no value of the kind: another release's, or damaged."""


class Codecs:
    """Makes bytes of values, and values of bytes, by their kinds."""

    def __init__(self) -> None:
        self._decoders: dict[int, tuple[Kind[Any], msgspec.msgpack.Decoder[Any]]] = {}

    def encode(self, value: Any) -> bytes:
        """The value as it is kept."""
        return _encode(value)

    def decode(self, kind: Kind[Any], value: bytes) -> Any:
        """The value as it was.

        Raises:
            Unreadable: it is none of the kind.
        """
        known = self._decoders.get(id(kind))
        if known is None:  # kept with its kind: so nothing else gets its id
            known = self._decoders[id(kind)] = (kind, msgspec.msgpack.Decoder(kind.type))
        try:
            return known[1].decode(value)
        except (ValueError, RecursionError) as error:  # every msgspec error is a ValueError
            raise Unreadable from error
