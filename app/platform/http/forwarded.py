"""What proxies say of whom they ask for: the clients' addresses, the nearest last, without ports."""

import re
from collections.abc import Sequence

MOST_ENTRIES = 32
"""Nobody has more proxies in a row; what stands farther left was written by whoever came."""

_IPV4 = re.compile(r"([0-9.]+)(?::[0-9]{1,5})?")
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?")
# RFC 7239: pairs of a token and a token or a quoted string. Between them blanks are let pass, which some send.
_PAIR = re.compile(r'[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=([!#$%&\'*+.^_`|~0-9A-Za-z:\[\]-]+|"(?:[^"\\]|\\.)*")[ \t]*')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def x_forwarded_for(fields: Sequence[bytes]) -> list[str]:
    """The entries of X-Forwarded-For, whatever they are."""
    entries = [entry.strip(" \t") for field in fields for entry in _last(field.decode("latin-1").split(","))]
    return [_without_port(entry) for entry in _last(entries)]


def forwarded_for(fields: Sequence[bytes]) -> list[str]:
    """The `for` of each element of Forwarded; of one that has none, or is none of the kind, an empty text."""
    elements = [element for field in fields for element in _last(_split(field.decode("latin-1"), ","))]
    return [_for(element) for element in _last(elements)]


def _last(entries: list[str]) -> list[str]:
    return entries[-MOST_ENTRIES:]


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text, whose quoted strings may have the separator in them."""
    if '"' not in text:
        return text.split(separator)
    hidden = _QUOTED.sub(lambda quoted: "\0" * len(quoted[0]), text)
    ends = [at for at, letter in enumerate(hidden) if letter == separator]
    starts = [0, *(at + 1 for at in ends)]
    return [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True)]


def _for(element: str) -> str:
    found: list[str] = []
    for part in _split(element, ";"):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            return ""
        name, value = pair.groups()
        if name.lower() == "for":
            found.append(re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value)
    # RFC 7239 has each parameter once at the most, and IPv6 in brackets.
    return _without_port(found[0]) if len(found) == 1 and (":" not in found[0] or _is_node(found[0])) else ""


def _is_node(text: str) -> bool:
    return bool(_IPV4.fullmatch(text) or _IPV6.fullmatch(text))


def _without_port(entry: str) -> str:
    """The address of a node. What is none stays what it is."""
    found = _IPV4.fullmatch(entry) or _IPV6.fullmatch(entry)
    return found[1] if found else entry
