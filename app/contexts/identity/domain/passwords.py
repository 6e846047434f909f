"""What may become a password, and what is held against a hash."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from app.kernel.composed import composed

MOST_CHARACTERS: Final = 256

_COMMON: Final = Path(__file__).with_name("common_passwords.txt")


def complaint(text: str, fewest: int) -> str | None:
    """Why it may not become a password of `fewest` characters or more; None where it may."""
    normal = composed(text, MOST_CHARACTERS)
    if normal is None or len(normal) < fewest:
        return f"must have {fewest} to {MOST_CHARACTERS} characters"
    if not _can_be_hashed(normal):
        return "must not have a NUL, nor half of a surrogate pair"
    if normal.casefold() in _common():
        return "must not be one of those that everybody tries first"
    return None


def tried(text: str) -> str | None:
    """The text, if it may be somebody's by its length: as it would be set here, or as it was sent elsewhere."""
    fits = len(text) <= MOST_CHARACTERS or composed(text, MOST_CHARACTERS) is not None
    return text if text and fits else None


def as_set(text: str) -> bytes:
    """What is hashed of a new password: of the ways to write a character it has one."""
    return unicodedata.normalize("NFC", text).encode()


def as_tried(text: str) -> Sequence[bytes]:
    """What is held against a hash: as it would be set here, and as it was sent, which others may have hashed.

    Nothing where it cannot be anybody's password.
    """
    if not _can_be_hashed(text):
        return ()
    return tuple(dict.fromkeys((as_set(text), text.encode())))


def _can_be_hashed(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
