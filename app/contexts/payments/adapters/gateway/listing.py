"""A list that the gateway serves, read some entries at a time: the whole may be larger than one would hold."""

import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Generic, TypeVar

import httpx
import msgspec

E = TypeVar("E", bound=msgspec.Struct)

_LIMIT_S = 60.0
"""How long the gateway may take to begin its answer, and to go on with it."""
_PIECE_BYTES = 1 << 20
_MOST_BYTES = 16 * _PIECE_BYTES
"""Of what cannot be taken apart so much is held, and no more."""
_GUESSES = 8
"""How often it is tried to take a text apart: each time takes as long as reading it."""


class NoRecord(Exception):  # noqa: N818 -- it says what there is
    """There is nothing to compare with; the message says why."""


class Listing(Generic[E]):
    """What is in `{"member": [...]}`, at a path."""

    def __init__(self, path: str, member: str, entry: type[E]) -> None:
        self._path = path
        self._member = member
        whole = msgspec.defstruct("Whole", [(member, list[entry])])  # type: ignore[valid-type]
        self.decode_whole = msgspec.json.Decoder(whole).decode
        self.decode_some = msgspec.json.Decoder(list[entry]).decode  # type: ignore[valid-type]
        self._openings = re.compile(rb'"%b"\s*:\s*\[' % member.encode()).finditer

    async def read(self, client: httpx.AsyncClient) -> AsyncIterator[Sequence[E]]:
        """The entries, some at a time.

        Raises:
            NoRecord: the gateway serves none, or it cannot be read to its end.
        """
        try:
            async with client.stream("GET", self._path, timeout=_LIMIT_S) as answer:
                if not answer.is_success:
                    raise NoRecord("GATEWAY_URL does not serve one")
                text = b""
                async for piece in answer.aiter_bytes(_PIECE_BYTES):
                    text += piece
                    if len(text) > _PIECE_BYTES:
                        entries, text = self._first(text)
                        yield entries
                yield self._entries(text)
        except httpx.HTTPError as error:
            raise NoRecord(f"it could not be read ({type(error).__name__})") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NoRecord("what GATEWAY_URL serves is not one") from None

    def _entries(self, text: bytes) -> Sequence[E]:
        entries: Sequence[E] = getattr(self.decode_whole(text), self._member)
        return entries

    def _first(self, text: bytes) -> tuple[Sequence[E], bytes]:
        """The entries at the beginning of an unfinished record, and the record without them."""
        begin = self._begin(text)
        # What looks like a joint between two entries may be in the middle of one: then what is before it is not JSON.
        for joint in reversed(_joints(text, begin)):
            try:
                entries = self.decode_some(b"[%b]" % text[begin : joint.start(1)])
            except msgspec.ValidationError:
                raise
            except msgspec.DecodeError:
                continue
            return entries, b'{"%b":[' % self._member.encode() + text[joint.end(1) :]
        if len(text) > _MOST_BYTES:
            raise NoRecord("what GATEWAY_URL serves is not one")
        return (), text

    def _begin(self, text: bytes) -> int:
        """Where the first entry begins; at the end of the text, if it is not there yet."""
        for opening in islice(self._openings(text), _GUESSES):
            # A member of the record's own, not of something in it: with nothing behind it there is a record.
            with suppress(msgspec.DecodeError):
                self.decode_whole(text[: opening.start()] + b'"%b":[]}' % self._member.encode())
                return opening.end()
        return len(text)


def _joints(text: bytes, begin: int) -> Sequence[re.Match[bytes]]:
    """The last few places that look like what parts two entries, those that begin with the member of the first."""
    member = _first_member(text, begin)
    if member is None:
        return ()
    joints = re.compile(rb"\}(\s*,\s*)\{\s*" + re.escape(member[1]))
    return deque(joints.finditer(text, max(begin, len(text) - _PIECE_BYTES)), _GUESSES)


_first_member = re.compile(rb'\s*\{\s*("[^"\\]{1,100}")').match
