"""Conditional requests (RFC 9110): which version a client has, and which one it means to change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.platform.http.errors import validation
from app.platform.http.headers import Head
from app.platform.http.replies import RawHeader
from app.platform.http.request import Parameter

_RULE: Final = 'must be *, or entity tags such as "4", joined by commas'
_TAG: Final = re.compile(rb'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SCHEMA: Final = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'}
_SEPARATOR: Final = re.compile(rb"[ \t]*,[ \t,]*")


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The tags of a condition: of any version, or of these; of the weak ones it is not said that all is the same."""

    strong: frozenset[bytes] = frozenset()
    weak: frozenset[bytes] = frozenset()
    is_any: bool = False

    def has(self, version: int) -> bool:
        """Whether it names this very version: what `If-Match` goes by."""
        return self.is_any or b"%d" % version in self.strong

    def knows(self, version: int) -> bool:
        """Whether it names this version, or what is as good as it: what `If-None-Match` goes by."""
        return self.has(version) or b"%d" % version in self.weak


def etag(version: int) -> RawHeader:
    """The header that names a version."""
    return b"etag", b'"%d"' % version


def _read(name: str, head: Head) -> EntityTags | None:
    """The tags of a header, which may be there several times; None where it is not.

    Raises:
        Problem: it is malformed.
    """
    fields = head.every(name.lower().encode())
    if not fields:
        return None
    if list(fields) == [b"*"]:
        return EntityTags(is_any=True)
    given = _tags(b",".join(fields))
    if not given:
        raise validation({name: _RULE})
    return EntityTags(
        frozenset(tag for is_weak, tag in given if not is_weak),
        frozenset(tag for is_weak, tag in given if is_weak),
    )


def _tags(text: bytes) -> Sequence[tuple[bool, bytes]]:
    """The tags of a list, in which places may be empty; nothing where it is no list of tags."""
    found: list[tuple[bool, bytes]] = []
    at = len(text) - len(text.lstrip(b" \t,"))
    while at < len(text):
        tag = _TAG.match(text, at)
        if tag is None:
            return ()
        found.append((tag[1] is not None, tag[2]))
        if tag.end() == len(text):
            break
        separator = _SEPARATOR.match(text, tag.end())
        if separator is None:
            return ()
        at = separator.end()
    return found


IF_MATCH: Final[Parameter[EntityTags | None]] = Parameter(
    name="If-Match",
    where="header",
    read=lambda head: _read("If-Match", head),
    description="The `ETag` of the version that is to change; `*` stands for whichever there is.",
    schema=_SCHEMA,
    example='"4"',
)
IF_NONE_MATCH: Final[Parameter[EntityTags | None]] = Parameter(
    name="If-None-Match",
    where="header",
    read=lambda head: _read("If-None-Match", head),
    description="The `ETag` of a version that one has: it is not sent again.",
    schema=_SCHEMA,
    example='"3"',
)
