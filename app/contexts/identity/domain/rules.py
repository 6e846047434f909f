"""What may be written of a person: each rule as a function from text to the text that is kept, or None where none is.

What is kept is compared with what others have, so that each thing has one spelling: without blanks around it, in NFC.
"""

import re
from typing import Final

from app.kernel.writing import MOST_OF_A_URL, https_url, line

USERNAME_RULE: Final = "must be 3 to 30 lower-case letters, digits and _, and not begin with 0x"
EMAIL_RULE: Final = "must be an e-mail address in ASCII, of at most 254 characters"
NAME_RULE: Final = "must be 1 to 100 characters, none of them a control character"
PHONE_RULE: Final = "must be 5 to 15 digits, with blanks and ( ) . - between them, and at most one + before them"
AVATAR_RULE: Final = f"must be an https:// URL of at most {MOST_OF_A_URL} characters"

MOST_OF_AN_EMAIL: Final = 254
MOST_OF_A_NAME: Final = 100
MOST_OF_A_PHONE: Final = 32

_USERNAME = re.compile(r"(?!0x)[a-z0-9_]{3,30}")
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?P<local>{_ATOM}(\.{_ATOM})*)@({_LABEL}\.)+{_LABEL}")
_MOST_OF_A_LOCAL_PART = 64
_PHONE = re.compile(r"\+?[0-9(][0-9 ().-]*[0-9]")


def username(text: str) -> str | None:
    """It is never a UUID, nor an address: one of the three is meant where somebody is looked for."""
    return text if _USERNAME.fullmatch(text) else None


def email(text: str) -> str | None:
    """Trimmed and in lower case. ASCII alone: what other scripts lower to, and look like, is somebody else's."""
    text = text.strip()
    if len(text) > MOST_OF_AN_EMAIL or not text.isascii():
        return None
    text = text.lower()
    found = _EMAIL.fullmatch(text)
    return text if found and len(found["local"]) <= _MOST_OF_A_LOCAL_PART else None


def name(text: str) -> str | None:
    """In any script."""
    return line(text, MOST_OF_A_NAME)


def phone(text: str) -> str | None:
    """As it was written."""
    text = text.strip()
    digits = sum(character.isdigit() for character in text)
    return text if len(text) <= MOST_OF_A_PHONE and _PHONE.fullmatch(text) and 5 <= digits <= 15 else None


def avatar_url(text: str) -> str | None:
    """Where a browser fetches it."""
    return https_url(text)
