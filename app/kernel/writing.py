"""What may be written, by whoever writes it, and has one spelling once it is kept."""

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from app.kernel.composed import composed

MOST_OF_A_URL: Final = 2048
MOST_OF_A_SLUG: Final = 64
SLUG_RULE: Final = f"must be 1 to {MOST_OF_A_SLUG} of a-z, 0-9 and -, with no - at an end or beside another"
SLUG_PATTERN: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VISIBLE = re.compile(r"[!-~]+")
# Control characters, halves of pairs, what nobody has defined, what breaks lines; and what turns the direction of
# writing.
_REFUSED_KINDS = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def line(text: str, most: int) -> str | None:
    """A line in any script, of 1 to `most` characters: trimmed, in NFC."""
    kept = composed(text.strip(), most)
    return kept if kept and not any(map(is_refused, kept)) else None


def slug(text: str) -> str | None:
    """What stands in an address."""
    return text if len(text) <= MOST_OF_A_SLUG and _SLUG.fullmatch(text) else None


def https_url(text: str) -> str | None:
    """Where a browser fetches something: it tells nobody who looks anything over plain HTTP, and holds no password."""
    if len(text) > MOST_OF_A_URL or not _VISIBLE.fullmatch(text):
        return None
    try:
        url = urlsplit(text)
        fits = url.scheme == "https" and bool(url.hostname) and url.port != 0 and "@" not in url.netloc
    except ValueError:
        return None
    return text if fits and not any(character in text for character in "\"'<>\\^`{|}") else None


def is_refused(character: str) -> bool:
    """Whether it is none of a text's: a control character, half of one, or what turns a line around."""
    return unicodedata.category(character) in _REFUSED_KINDS or character in _TURNING
