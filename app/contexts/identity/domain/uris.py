"""The parts of RFC 3986 that the message of a wallet is made of, as its grammar has them.

No expression gives back what it has taken (`*+`): however long a text is, it is gone over once.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_ENCODED = "%[0-9A-Fa-f]{2}"

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+")
_PCHARS: Final = re.compile(rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_ENCODED})*+")
_PATH: Final = re.compile(rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@/]|{_ENCODED})*+")
_QUERY: Final = re.compile(rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@/?]|{_ENCODED})*+")
_USER: Final = re.compile(rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ENCODED})*+")
_NAME: Final = re.compile(rf"(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ENCODED})*+")
_FUTURE: Final = re.compile(rf"[vV][0-9A-Fa-f]++\.[{_UNRESERVED}{_SUB_DELIMS}:]++")
_PORT: Final = re.compile("[0-9]*+")
_V6: Final = re.compile("[0-9A-Fa-f:.]{2,45}")
_STATEMENT: Final = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:/?#\[\]@ ]*+")


def is_scheme(text: str) -> bool:
    """Whether it is a scheme: `https`."""
    return _SCHEME.fullmatch(text) is not None


def is_authority(text: str) -> bool:
    """Whether it is an authority: a host, perhaps with a user before it and a port behind. An empty host is one."""
    user, at, rest = text.rpartition("@")
    if at and not _USER.fullmatch(user):
        return False
    if rest.startswith("["):
        literal, bracket, port = rest[1:].partition("]")
        return bool(bracket) and _is_literal(literal) and (not port or (port[0] == ":" and _is_port(port[1:])))
    host, _, port = rest.partition(":")
    return _NAME.fullmatch(host) is not None and _is_port(port)


def is_uri(text: str) -> bool:
    """Whether it is a URI: with a scheme, and perhaps with a fragment."""
    scheme, colon, rest = text.partition(":")
    if not colon or not is_scheme(scheme):
        return False
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    if not _QUERY.fullmatch(fragment) or not _QUERY.fullmatch(query):
        return False
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        return is_authority(authority) and _PATH.fullmatch(slash + path) is not None
    return _PATH.fullmatch(rest) is not None


def authority_of(uri: str) -> tuple[str, str | None]:
    """The scheme of a URI, and its authority, if it has one."""
    scheme, _, rest = uri.partition(":")
    if not rest.startswith("//"):
        return scheme, None
    return scheme, re.split("[/?#]", rest[2:], maxsplit=1)[0]


def is_request_id(text: str) -> bool:
    """Whether it is `*pchar`; nothing at all is."""
    return _PCHARS.fullmatch(text) is not None


def is_statement(text: str) -> bool:
    """Whether there is nothing in it but what a URI may have, as it is, and blanks."""
    return _STATEMENT.fullmatch(text) is not None


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None


def _is_literal(text: str) -> bool:
    if _FUTURE.fullmatch(text):
        return True
    if not _V6.fullmatch(text):
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
