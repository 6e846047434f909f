"""URLs of the settings, and what is like them: as they are used, or what they are not.

Nothing here quotes one, as passwords are in them.
"""

import re
from collections.abc import Callable
from ipaddress import IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
KEY_LENGTH = 16
"""Characters of a key at the least."""
_PORTS = {"http": 80, "https": 443}


def is_url(text: str, *schemes: str) -> bool:
    """Whether the text is a URL of one of the schemes, with a host."""
    try:
        url = urlsplit(text)
        host = (url.hostname or "").encode("idna")  # as it is looked up
        return url.scheme in schemes and bool(host) and (url.port is None or url.port > 0)
    except ValueError:
        return False


def host(text: str) -> str:
    """A name or an address to listen on; one of IPv6 may stand in brackets, as in URLs.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ip_address(bare))
    except ValueError:
        if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text):
            return text
    raise ValueError("is no name and no address of a host; a port is a setting of its own")


def origin(text: str) -> str:
    """It as browsers write it in Origin: a scheme and a host, a port unless it is the scheme's own, and nothing more.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    if is_url(text, *_PORTS) and _ORIGIN.fullmatch(text):
        url = urlsplit(text)
        host = url.netloc if url.port is None else url.netloc.rpartition(":")[0]
        if not url.netloc.endswith(":") and _is_as_browsers_write_it(url.hostname or ""):
            port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
            return f"{url.scheme}://{host}{port}"
    raise ValueError("is not http:// or https:// with a host, and nothing behind it")


def _is_as_browsers_write_it(host: str) -> bool:
    """Addresses have one form only."""
    if ":" not in host and not host.rpartition(".")[2].isdigit():
        return True
    try:
        return ip_address(host).compressed == host
    except ValueError:
        return False


def network(text: str) -> str:
    """Addresses that begin alike: `10.0.0.0/8`, or a single one.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    try:
        found = ip_network(text)
    except ValueError:
        raise ValueError("is no network like 10.0.0.0/8 or fd00::/8, with nothing behind its prefix") from None
    if isinstance(found, IPv6Network) and found.network_address.ipv4_mapped:
        raise ValueError("is one of IPv4, and has to be written so")
    return str(found)


def listed(check: Callable[[str], str]) -> Callable[[str], str]:
    """The check of entries with commas between them; the message tells which is wrong."""

    def checked(text: str) -> str:
        found = []
        for number, entry in enumerate(filter(None, text.split(",")), start=1):
            try:
                found.append(check(entry.strip()))
            except ValueError as error:
                raise ValueError(f"(entry {number}) {error}") from None
        return ",".join(found)

    return checked


def secret(text: str) -> str:
    """The same.

    Raises:
        ValueError: it is too short to be one; the message begins with the verb.
    """
    if len(text) < KEY_LENGTH or not (text.isascii() and text.isprintable()):
        raise ValueError(f"has less than {KEY_LENGTH} visible characters")
    return text


def database_url(text: str) -> str:
    """The same.

    Raises:
        ValueError: it is no connection string; the message begins with the verb.
    """
    try:
        given = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        raise ValueError("is not a PostgreSQL connection string") from None
    # What libpq takes for a host or a port it quotes when it cannot connect: it must be no part of a password.
    ports = str(given.get("port") or "").split(",")
    if "@" in str(given.get("host") or "") or not all(re.fullmatch("[0-9]{0,5}", port) for port in ports):
        raise ValueError("has no valid host and port: in a URL a password has % @ / : written as %25 %40 %2F %3A")
    return text


def gateway_url(text: str) -> str:
    """The same.

    Raises:
        ValueError: it is no URL that charges can be sent to; the message begins with the verb.
    """
    if not is_url(text, "http", "https"):
        raise ValueError("is not an http:// or https:// URL")
    if "?" in text or "#" in text:
        raise ValueError("has a query or a fragment: only a path can be kept before /charges")
    return _readable(text)


def node_url(text: str) -> str:
    """The same; it may have a query, as those of nodes do.

    Raises:
        ValueError: it is no URL that can be posted to; the message begins with the verb.
    """
    if not is_url(text, "http", "https"):
        raise ValueError("is not an http:// or https:// URL")
    if "#" in text:
        raise ValueError("has a fragment, which is never sent")
    return _readable(text)


def _readable(text: str) -> str:
    import httpx  # noqa: PLC0415 -- it takes its time, and only commands that call somebody need it

    try:
        _ = httpx.URL(text).host  # as the client will read it
    except (httpx.InvalidURL, ValueError):
        raise ValueError("has a host that is no valid name") from None
    return text
