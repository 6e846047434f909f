"""Who may log in to the console: the operators' keys, as they are set."""

import re
from collections.abc import Mapping, Sequence

from app.platform.process.urls import KEY_LENGTH

_OPERATOR = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def operators_of(pairs: Sequence[str]) -> Mapping[str, str]:
    """The keys by the names of the operators who hold them, from entries like `name:key`.

    Raises:
        ValueError: one of them is none, or there twice. The message quotes no key.
    """
    operators: dict[str, str] = {}
    for number, pair in enumerate(pairs, start=1):
        name, colon, key = pair.partition(":")
        if not colon or not _OPERATOR.fullmatch(name):
            raise ValueError(f"entry {number} is not name:key (letters, digits, and . _ @ -)")
        if len(key) < KEY_LENGTH or not (key.isascii() and key.isprintable()) or " " in key:
            raise ValueError(f"the key of {name} has less than {KEY_LENGTH} visible characters")
        if name in operators or key in operators.values():
            raise ValueError(f"{name} has a second key, or somebody else's")
        operators[name] = key
    return operators
