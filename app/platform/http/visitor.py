"""Where a request comes from, and where it goes to: past the proxies that are trusted, and no others."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from app.platform.http.forwarded import forwarded_for, x_forwarded_for
from app.platform.http.headers import Head

if TYPE_CHECKING:
    from litestar.types import HTTPScope

ForwardedHeader = Literal["x-forwarded-for", "forwarded"]

SITE_BITS: Final = 64
"""Of an IPv6 address: the rest is one client's, who may have a new one for each request."""
_AUTHORITY = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Visitor(NamedTuple):
    """The client and the host of a request, as far as this side can know them."""

    address: str
    """What limits go by: the client's IPv4 address, or the /64 of its IPv6 one; empty where there is none."""
    authority: str
    """The host that was asked, in lower case, with its port if it was sent: `shop.example:8443`; may be empty."""
    host: str
    """The same without a port."""


NOBODY: Final = Visitor("", "", "")


class Visitors:
    """Tells visitors by their connections, and by what `trusted` proxies (as CIDRs) say in the one header."""

    def __init__(self, trusted: Iterable[str], header: ForwardedHeader) -> None:
        self._trusted = [ip_network(each) for each in trusted]
        self._header = header.encode()
        self._entries = forwarded_for if header == "forwarded" else x_forwarded_for
        # The same few clients and proxies come again and again, and reading an address takes microseconds.
        self._known = lru_cache(maxsize=4096)(self._look_at)

    def of(self, scope: "HTTPScope", head: Head) -> Visitor:
        """Who comes with this head, over the connection of this scope."""
        client = scope["client"]
        address, is_trusted = self._known(client[0]) if client else (None, False)
        authority, host = _authority(head.one(b"host") or b"")
        if is_trusted:
            address = self._past_proxies(address, self._entries(head.every(self._header)))
            # Several proxies may have written there: the nearest is the last.
            if told := head.every(b"x-forwarded-host"):
                found = _authority(told[-1].rpartition(b",")[2])
                authority, host = found if found[0] else (authority, host)
        return Visitor(address or "", authority, host)

    def _past_proxies(self, address: str | None, entries: Sequence[str]) -> str | None:
        for entry in reversed(entries):
            found, is_trusted = self._known(entry)
            if found is None:
                break
            address = found
            if not is_trusted:
                break
        return address

    def _look_at(self, text: str) -> tuple[str | None, bool]:
        """What limits go by for this address, None if it is none; and whether it is a trusted proxy's."""
        address = _address(text)
        if address is None:
            return None, False
        return _site(address), any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if "%" in text:  # a zone means something on one machine only
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _site(address: IPv4Address | IPv6Address) -> str:
    return str(IPv6Network((address, SITE_BITS), strict=False)) if isinstance(address, IPv6Address) else str(address)


@lru_cache(maxsize=64)
def _authority(value: bytes) -> tuple[str, str]:
    """A host in lower case, with its port and without; both empty if it is none."""
    text = value.strip(b" \t").lower().decode("latin-1")
    found = _AUTHORITY.fullmatch(text)
    return (text, found[1]) if found else ("", "")
