"""URLs of the settings: as they are used, or what they are not. Nothing here quotes one, as passwords are in them."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
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
    import httpx  # noqa: PLC0415 -- it takes its time, and only commands with a gateway need it

    if not is_url(text, "http", "https"):
        raise ValueError("is not an http:// or https:// URL")
    if "?" in text or "#" in text:
        raise ValueError("has a query or a fragment: only a path can be kept before /charges")
    try:
        _ = httpx.URL(text).host  # as the client will read it
    except (httpx.InvalidURL, ValueError):
        raise ValueError("has a host that is no valid name") from None
    return text
