"""Pages of other sites: which may read answers (CORS), and which may not even ask (CSRF)."""

from collections.abc import Iterable
from typing import Final

from app.platform.http.codes import ORIGIN_REFUSED
from app.platform.http.errors import Problem
from app.platform.http.headers import Head
from app.platform.http.replies import RawHeader, Reply

ALLOWED_HEADERS: Final = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-ID, traceparent"
)
EXPOSED_HEADERS: Final = (
    b"X-Request-ID, Idempotent-Replayed, Retry-After, RateLimit, RateLimit-Policy, ETag, WWW-Authenticate"
)
PREFLIGHT_S: Final = 600
"""How long a browser may keep the answer to a preflight."""

# What an answer says depends on who asks, even where it says nothing.
VARY: Final[RawHeader] = (b"vary", b"Origin")
_OUR_OWN: Final = (b"same-origin", b"none")
_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}


class Origins:
    """The origins whose pages may ask with credentials and read the answers: exactly these."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._told: dict[bytes, tuple[RawHeader, ...]] = {
            origin.encode(): (
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", EXPOSED_HEADERS),
            )
            for origin in listed
        }

    def headers(self, head: Head) -> tuple[RawHeader, ...]:
        """What the browser of whoever asks is told with any answer, beside `Vary`."""
        origin = head.one(b"origin")
        return () if origin is None else self._told.get(origin, ())

    def told(self, head: Head) -> tuple[RawHeader, ...]:
        """The same with `Vary`."""
        return (VARY, *self.headers(head))

    def preflight(self, head: Head, methods: Iterable[str]) -> Reply:
        """What a browser is told that asks whether a page may ask."""
        if not self.headers(head):
            return Reply(204, b"")
        told = (
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", b"%d" % PREFLIGHT_S),
        )
        return Reply(204, b"", told)

    def check(self, head: Head, authority: str) -> None:
        """See to it that no page of another site asks. `authority` is our own host, as it was asked.

        `Origin` decides alone, where there is one; without it `Sec-Fetch-Site` does. Programs send neither.

        Raises:
            Problem: one does, or it cannot be told.
        """
        if b"origin" in head.first:
            origin = head.one(b"origin")
            is_ours = origin is not None and (origin in self._told or _is_of(origin, authority.encode()))
        elif b"sec-fetch-site" in head.first:
            is_ours = head.one(b"sec-fetch-site") in _OUR_OWN
        else:
            is_ours = True
        if not is_ours:
            raise Problem(ORIGIN_REFUSED)


def is_preflight(method: str, head: Head) -> bool:
    """Whether a browser asks whether a page may ask."""
    return method == "OPTIONS" and b"origin" in head.first and b"access-control-request-method" in head.first


def _is_of(origin: bytes, authority: bytes) -> bool:
    """Whether it is the origin of pages that this host serves. Browsers leave the scheme's own port out of both."""
    scheme, _, host = origin.partition(b"://")
    port = _DEFAULT_PORTS.get(scheme)
    return port is not None and host != b"" and host == authority.removesuffix(port)
