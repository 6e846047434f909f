"""What the settings of signing in with a wallet say, read once. No message quotes a URL: keys of nodes are in them."""

import re
from collections.abc import Mapping
from typing import Final

from app.platform.process.settings import InvalidSettings, Settings, entries
from app.platform.process.urls import node_url, origin

_CHAIN: Final = re.compile("[1-9][0-9]{0,77}")
"""An id has 256 bits at the most."""


def domains(listed: str) -> tuple[str, ...]:
    """SIWE_DOMAINS: hosts, with a port where pages are not served at the usual one.

    Raises:
        InvalidSettings: one is none.
    """
    for number, domain in enumerate(entries(listed), start=1):
        try:
            given = f"http://{domain}"
            is_one = origin(given) == given or domain.endswith(":80")
        except ValueError:
            is_one = False
        if not is_one:
            raise InvalidSettings(
                f"SIWE_DOMAINS: entry {number} is not a host, perhaps with a port, as browsers write it in lower case"
            )
    return tuple(dict.fromkeys(entries(listed)))


def domains_of_a_run(settings: Settings) -> str:
    """SIWE_DOMAINS of a `strongbox run`: where it serves, as a browser on this machine may write it."""
    host, port = settings.http_host.lower(), "" if settings.http_port == 80 else f":{settings.http_port}"
    here = [f"[{host}]" if ":" in host else host, "localhost"]
    return ",".join(dict.fromkeys([*(f"{name}{port}" for name in here), "localhost"]))


def chains(listed: str) -> tuple[str, ...]:
    """SIWE_CHAIN_IDS.

    Raises:
        InvalidSettings: one is none, or there is none.
    """
    ids = entries(listed)
    if not ids:
        raise InvalidSettings("SIWE_CHAIN_IDS names no chain")
    for number, each in enumerate(ids, start=1):
        if not _CHAIN.fullmatch(each):
            raise InvalidSettings(f"SIWE_CHAIN_IDS: entry {number} is not the number of a chain")
    return tuple(dict.fromkeys(ids))


def nodes(listed: str) -> Mapping[str, str]:
    """EVM_RPC_URLS: where a node of each chain is, by the chain's id.

    Raises:
        InvalidSettings: an entry is not CHAIN=URL, or its chain is there twice.
    """
    found: dict[str, str] = {}
    for number, entry in enumerate(entries(listed), start=1):
        chain, equals, url = entry.partition("=")
        if not equals or not _CHAIN.fullmatch(chain):
            raise InvalidSettings(f"EVM_RPC_URLS: entry {number} is not CHAIN=URL")
        if chain in found:
            raise InvalidSettings(f"EVM_RPC_URLS: chain {chain} is there twice")
        try:
            found[chain] = node_url(url)
        except ValueError as error:
            raise InvalidSettings(f"EVM_RPC_URLS: entry {number} {error}") from None
    return found
