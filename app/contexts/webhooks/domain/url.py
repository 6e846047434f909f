"""Where events may be sent to, as far as a URL shows it."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from app.contexts.webhooks.domain.addresses import Address, Allowed
from app.contexts.webhooks.domain.refusals import Unfit

MOST: Final = 2_048

# What a URL may be made of; none of it is read differently by two libraries.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*)?"
)
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# What resolvers take for a number, and so for an address, however it is written.
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORTS: Final = {"http": 80, "https": 443}
LOCAL: Final = IPv4Address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Place:
    """A URL, taken apart. `address` is what the host is, where it is no name."""

    is_tls: bool
    host: str
    port: int
    target: str
    address: Address | None

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.is_tls else "http"] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """The URL, taken apart.

    Raises:
        Unfit: it is none that anything is sent to.
    """
    if len(url) > MOST:
        raise Unfit("url", f"must have at most {MOST} characters")
    found = _URL.fullmatch(url)
    if found is None:
        raise Unfit("url", "must be an https:// URL of ASCII characters, without user info and fragment")
    port = int(found["port"] or _PORTS[found["scheme"]])
    if not 0 < port < 65_536:
        raise Unfit("url", "must have a port from 1 to 65535, where it has one")
    host, target = found["host"], found["target"] or "/"
    target = target if target.startswith("/") else f"/{target}"
    return Place(found["scheme"] == "https", host.strip("[]").lower(), port, target, _address(host))


def _address(host: str) -> Address | None:
    try:
        if host.startswith("["):
            return IPv6Address(host[1:-1])
        *labels, last = host.split(".")
        if _NUMBER.fullmatch(last):
            return IPv4Address(host)
    except ValueError:
        raise Unfit("url", "must have an address in its usual form, where it has no name") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in (*labels, last)):
        raise Unfit("url", "must have a host that is a valid name")
    return LOCAL if last.lower() == "localhost" else None


def checked(url: str, allowed: Allowed, *, allow_http: bool) -> Place:
    """The URL, taken apart, once nothing is seen of it that forbids it.

    Raises:
        Unfit: something is.
    """
    place = place_of(url)
    if not (place.is_tls or allow_http):
        raise Unfit("url", "must be an https:// URL")
    if place.address is not None and not allowed.allows(place.address):
        raise Unfit("url", "must lead to a public address")
    return place
