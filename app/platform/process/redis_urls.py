"""The URL of a Redis: what it says, or that it is none. Nothing here quotes one, as passwords are in them."""

import re
from typing import Annotated, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from msgspec import Meta

PORT = 6379


class RedisPlace(NamedTuple):
    """Where a Redis is, and as whom one logs in there."""

    host: str
    port: int
    path: str
    """Of its Unix socket; empty where it is reached by host and port."""
    username: str | None
    password: str | None
    database: int
    has_tls: bool


def redis_url(text: str) -> str:
    """The same.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    redis_place(text)
    return text


def redis_place(text: str) -> RedisPlace:
    """What it says.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    try:
        url = urlsplit(text)
        place = _by_socket(url) if url.scheme == "unix" else _by_host(url)
    except ValueError:
        place = None
    if place is None:
        raise ValueError(
            "is not redis:// or rediss:// with a host, perhaps a port and a database's number, nor unix:// with a path,"
            " perhaps ?db=; in a password % @ / : # ? are written as %25 %40 %2F %3A %23 %3F"
        )
    return place


def _by_host(url: SplitResult) -> RedisPlace | None:
    host = url.hostname or ""
    host.encode("idna")  # as it is looked up
    database = url.path.removeprefix("/")
    ends_well = not url.query and not url.fragment and re.fullmatch("[0-9]{0,5}", database)
    if url.scheme not in ("redis", "rediss") or not host or url.port == 0 or not ends_well:
        return None
    return RedisPlace(host, url.port or PORT, "", *_login(url), int(database or 0), has_tls=url.scheme == "rediss")


def _by_socket(url: SplitResult) -> RedisPlace | None:
    asked = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query)))
    database = asked.pop("db", "0")
    if url.hostname or asked or url.fragment or url.path in ("", "/") or not re.fullmatch("[0-9]{1,5}", database):
        return None
    return RedisPlace("", 0, unquote(url.path), *_login(url), int(database), has_tls=False)


def _login(url: SplitResult) -> tuple[str | None, str | None]:
    return (unquote(url.username or "") or None, unquote(url.password or "") or None)


RedisUrl = Annotated[str, Meta(extra={"check": redis_url})]
