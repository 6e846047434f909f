"""Text in which each character is written in one way (NFC)."""

import unicodedata
from typing import Final

MOST_FOR_ONE: Final = 4
"""Code points that a character of NFC may be written with otherwise."""


def composed(text: str, most: int) -> str | None:
    """The text in NFC; None where that has more than `most` characters.

    What no way to write so many could be is not looked at: the time that it takes to put marks into their order grows
    with the square of how many there are, and one body has enough of them for seconds.
    """
    if len(text) > MOST_FOR_ONE * most:
        return None
    normal = unicodedata.normalize("NFC", text)
    return normal if len(normal) <= most else None
