"""What is answered to whoever has logged in: who they are, the tokens, and the cookies for a browser."""

from dataclasses import replace
from typing import Final, Literal

from msgspec import Struct, json

from app.contexts.identity.adapters.http.views import UserShape, user_view
from app.contexts.identity.application.open_session import Pair
from app.contexts.identity.domain.user import User
from app.platform.http.replies import RawHeader, Reply

AUTH: Final = "/v1/auth"
"""Where alone a browser shows what renews its session."""


class SignedInShape(Struct, frozen=True):
    """Who logged in, and what one is known by: for `expires_in` seconds, and anew for the refresh token."""

    user: UserShape
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class SignedIn:
    """Answers log-ins. Without `cookie_secure` cookies go over HTTP, on one's own machine."""

    def __init__(self, cookie_secure: bool) -> None:
        self._secure = "; Secure" if cookie_secure else ""
        self.session_cookie = "__Host-strongbox_session" if cookie_secure else "strongbox_session"
        self.refresh_cookie = "__Secure-strongbox_refresh" if cookie_secure else "strongbox_refresh"

    def reply(self, user: User, pair: Pair) -> Reply:
        """The answer, with both cookies."""
        if pair.logged_in_at is not None:
            user = replace(user, last_login_at=pair.logged_in_at)
        shape = SignedInShape(user_view(user), pair.access_token, "Bearer", pair.expires_in_s, pair.refresh_token)
        return Reply(
            200,
            json.encode(shape),
            self._cookies((pair.session_token, pair.session_ttl_s), (pair.refresh_token, pair.refresh_ttl_s)),
        )

    def cleared(self) -> tuple[RawHeader, ...]:
        """What has a browser drop both cookies."""
        return self._cookies(("", 0), ("", 0))

    def _cookies(self, session: tuple[str, int], refresh: tuple[str, int]) -> tuple[RawHeader, ...]:
        return (
            self._cookie(self.session_cookie, *session, "Lax", "/"),
            self._cookie(self.refresh_cookie, *refresh, "Strict", AUTH),
        )

    def _cookie(self, name: str, value: str, ttl_s: int, same_site: str, path: str) -> RawHeader:
        text = f"{name}={value}; Max-Age={ttl_s}; Path={path}; HttpOnly{self._secure}; SameSite={same_site}"
        return b"set-cookie", text.encode("ascii")
