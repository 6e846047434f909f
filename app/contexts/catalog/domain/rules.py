"""What may be written of products and categories: each rule from what is given to what is kept, None where none is."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.kernel.composed import composed
from app.kernel.writing import MOST_OF_A_URL, https_url, is_refused, line

MOST_OF_A_TITLE: Final = 140
MOST_OF_A_DESCRIPTION: Final = 10_000
MOST_IMAGES: Final = 12
MOST_SPECIFICATIONS: Final = 50
MOST_OF_A_NAME: Final = 64
MOST_OF_A_VALUE: Final = 500
MOST_SHIPPING_MEMBERS: Final = 100
DEEPEST_SHIPPING: Final = 4
MOST_QUANTITY: Final = 1_000_000_000
MOST_OF_A_CATEGORY: Final = 100
MOST_OF_A_CATEGORY_TEXT: Final = 1_000
MOST_SORT_ORDER: Final = 1_000_000

TITLE_RULE: Final = f"must be 1 to {MOST_OF_A_TITLE} characters, none of them a control character"
DESCRIPTION_RULE: Final = (
    f"must be at most {MOST_OF_A_DESCRIPTION} characters, none of them a control character but tabs and line ends"
)
IMAGES_RULE: Final = f"must be at most {MOST_IMAGES} https:// URLs, each of at most {MOST_OF_A_URL} characters"
URL_RULE: Final = f"must be an https:// URL of at most {MOST_OF_A_URL} characters"
SPECIFICATIONS_RULE: Final = (
    f"must be an object of at most {MOST_SPECIFICATIONS} strings, each of 1 to {MOST_OF_A_VALUE} characters, "
    f"by different names of 1 to {MOST_OF_A_NAME}"
)
SHIPPING_RULE: Final = (
    f"must be an object at most {DEEPEST_SHIPPING} deep, of at most {MOST_SHIPPING_MEMBERS} values in all: strings of "
    f"at most {MOST_OF_A_VALUE} characters, numbers up to 2^53, true, false or null, by names of 1 to {MOST_OF_A_NAME}"
)
QUANTITY_RULE: Final = f"must be an integer between 0 and {MOST_QUANTITY}"
CATEGORY_NAME_RULE: Final = f"must be 1 to {MOST_OF_A_CATEGORY} characters, none of them a control character"
CATEGORY_TEXT_RULE: Final = (
    f"must be at most {MOST_OF_A_CATEGORY_TEXT} characters, none of them a control character but tabs and line ends"
)
SORT_ORDER_RULE: Final = f"must be an integer between -{MOST_SORT_ORDER} and {MOST_SORT_ORDER}"

MOST_MARKS: Final = 30
"""Marks upon one character: what Unicode's stream-safe text has. Putting more into their order takes time that grows
with the square of how many there are."""

_LARGEST_NUMBER = 2**53


def title(text: str) -> str | None:
    """A line."""
    return line(text, MOST_OF_A_TITLE)


def description(text: str) -> str | None:
    """Any number of lines, maybe none."""
    return _prose(text, MOST_OF_A_DESCRIPTION)


def category_name(text: str) -> str | None:
    """A line."""
    return line(text, MOST_OF_A_CATEGORY)


def category_text(text: str) -> str | None:
    """Any number of lines, maybe none."""
    return _prose(text, MOST_OF_A_CATEGORY_TEXT)


def images(urls: Sequence[str]) -> tuple[str, ...] | None:
    """Where the pictures are, the first one first."""
    kept = tuple(url for url in map(https_url, urls) if url is not None)
    return kept if len(kept) == len(urls) <= MOST_IMAGES else None


def specifications(given: Mapping[str, str]) -> dict[str, str] | None:
    """Names with what is said of each."""
    if len(given) > MOST_SPECIFICATIONS:
        return None
    kept = {line(name, MOST_OF_A_NAME): line(value, MOST_OF_A_VALUE) for name, value in given.items()}
    return None if len(kept) < len(given) or None in kept or None in kept.values() else kept  # type: ignore[return-value]


def shipping_info(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Whatever a seller says of shipping; its texts as all others."""
    try:
        kept, count = _kept(dict(given), DEEPEST_SHIPPING)
    except ValueError:
        return None
    return kept if count <= MOST_SHIPPING_MEMBERS else None


def _kept(value: Any, depth: int) -> tuple[Any, int]:
    """The value as it is kept, and how many there are in it.

    Raises:
        ValueError: it is none that is.
    """
    match value:
        case dict() if depth > 0:
            names = {line(name, MOST_OF_A_NAME): _kept(member, depth - 1) for name, member in value.items()}
            if len(names) < len(value) or None in names:
                raise ValueError
            return {name: member for name, (member, _) in names.items()}, sum(count + 1 for _, count in names.values())
        case list() if depth > 0:
            members = [_kept(member, depth - 1) for member in value]
            return [member for member, _ in members], sum(count + 1 for _, count in members)
        case str():
            text = _prose(value, MOST_OF_A_VALUE)
            if text is None:
                raise ValueError
            return text, 0
        case bool() | None:
            return value, 0
        case int() | float() if abs(value) <= _LARGEST_NUMBER:  # neither without end nor no number
            return value, 0
        case _:
            raise ValueError


def _prose(text: str, most: int) -> str | None:
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        kept: str | None = text if len(text) <= most else None
    else:
        kept = None if _has_many_marks(text) else composed(text, most)
    if kept is None or any(is_refused(each) for each in kept if each not in "\n\t"):
        return None
    return kept


def _has_many_marks(text: str) -> bool:
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MOST_MARKS:
            return True
    return False
