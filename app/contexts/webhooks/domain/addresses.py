"""Which addresses may be called: those of the public Internet, and those that an operator allows.

By IANA's registries of special-purpose addresses (IPv4, IPv6; of October 2025), not by the library's: what that knows
depends on its version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Not globally reachable, or not said to be; and what is within them and is.
_NOT_GLOBAL_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_GLOBAL_4: Final = tuple(map(IPv4Network, ("192.0.0.9/32", "192.0.0.10/32")))
_NOT_GLOBAL_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_GLOBAL_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28",
            "2001:30::/28",
        ),
    )
)  # fmt: skip
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_LOW_32: Final = 0xFFFF_FFFF


def embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The addresses of IPv4 within it: mapped, compatible, of NAT64, 6to4 and Teredo (its server and its client)."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _COMPATIBLE or address in _NAT64:
        yield IPv4Address(int(address) & _LOW_32)
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo


def is_global(address: Address) -> bool:
    """Whether it is of the public Internet, and nobody's group."""
    if isinstance(address, IPv4Address):
        return _is_among(address, _GLOBAL_4) or not _is_among(address, _NOT_GLOBAL_4)
    if address in _NAT64:
        return True
    return address in _UNICAST and (_is_among(address, _GLOBAL_6) or not _is_among(address, _NOT_GLOBAL_6))


def _is_among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be called beside the public Internet."""

    networks: Sequence[Network] = ()

    def allows(self, address: Address) -> bool:
        """Whether it may be called: it is public, and so is every address within it, or it is allowed."""
        if _is_among(address, self.networks):
            return True
        if isinstance(address, IPv4Address):
            return is_global(address)
        if getattr(address, "scope_id", None) is not None:
            return False
        return is_global(address) and all(self.allows(one) for one in embedded(address))


def allowing(listed: Sequence[str]) -> Allowed:
    """Those networks.

    Raises:
        ValueError: one of them is none.
    """
    return Allowed(tuple(map(ip_network, listed)))
