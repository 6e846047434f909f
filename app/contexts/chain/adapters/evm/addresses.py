"""Addresses as they come in: read with care, as tokens sent to a wrong one are gone."""

import re
from typing import Final

from app.platform.eip55 import checksummed

_FORM: Final = re.compile("0x([0-9a-fA-F]{40})")
ZERO: Final = "0x" + 40 * "0"


def address(text: str) -> str:
    """The address in lower case. In mixed case it has to be spelled as EIP-55 does.

    Raises:
        ValueError: it is none, or the one of nobody; the message begins with the verb.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("is no address: 0x and 40 hexadecimal digits")
    digits = found[1]
    if digits not in (digits.lower(), digits.upper()) and checksummed(text) != text:
        raise ValueError("is spelled wrongly: its letters' cases are not those of EIP-55")
    if text.lower() == ZERO:
        raise ValueError("is the zero address, which nobody has the key of")
    return text.lower()
