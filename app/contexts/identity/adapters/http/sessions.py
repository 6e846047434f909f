"""POST /v1/auth/refresh and POST /v1/auth/logout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from app.contexts.identity.adapters.http.log_in import LOGGED_IN
from app.contexts.identity.adapters.http.signed_in import SignedIn
from app.contexts.identity.application.log_out import LogOut
from app.contexts.identity.application.refresh import Refresh
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.challenges import forbidden, not_let_in
from app.platform.http.credentials import cookie_of
from app.platform.http.finishing import finished
from app.platform.http.headers import Head
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import ANY_USER, ANYONE, MAYBE_BEARER, Operation, Request, Success
from app.platform.http.replies import NO_CONTENT, Reply
from app.platform.people import NotLetIn


class RefreshBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What renews a session. A browser leaves it out: its cookie has it."""

    refresh_token: Annotated[str | UnsetType, Rule("must be a string")] = UNSET


BODY = JsonBody(RefreshBody, {"refresh_token": LOGGED_IN.example["refresh_token"]}, "this request")


@dataclass(frozen=True, slots=True)
class Sessions:
    """The handlers, with what they need."""

    refresh: Refresh
    log_out: LogOut
    signed_in: SignedIn
    http: Http

    @property
    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        refresh = Operation(
            method="POST",
            template="/v1/auth/refresh",
            name="refreshSession",
            tag="people",
            summary="Renew a session",
            description="The refresh token is spent, and a new one given. Shown again within some seconds it is "
            "answered the same new one, as long as that is unspent; later it ends the log-in: it may have been stolen.",
            who=ANYONE,
            is_log_in=True,
            handler=self.renew,
            body=BODY,
            successes=(LOGGED_IN,),
            refusals=(codes.NOT_LET_IN, codes.UNAVAILABLE),
        )
        log_out = Operation(
            method="POST",
            template="/v1/auth/logout",
            name="logOut",
            tag="people",
            summary="Log out",
            description="The log-in ends that the access token, the cookies or the refresh token belong to, with all "
            "that came of it. Where there is none any more nothing is left to end.",
            who=MAYBE_BEARER,
            is_log_in=True,
            handler=self.end,
            body=BODY,
            successes=(Success(status=204, description="It has ended.", type=None, headers=("Set-Cookie",)),),
            refusals=(codes.FORBIDDEN, codes.UNAVAILABLE),
        )
        return [refresh, log_out]

    async def renew(self, request: Request) -> Reply:
        """Give whoever shows a refresh token the next one."""
        token = self._token(request)
        if token is None:
            raise not_let_in()
        try:
            user, pair = await finished(self.http, self.refresh(request.visitor.host, token))
        except NotLetIn:
            # The cookies stay: by now they may hold what another tab of the browser was given.
            raise not_let_in(was_shown=True) from None
        return self.signed_in.reply(user, pair)

    async def end(self, request: Request) -> Reply:
        """End the log-in."""
        if request.principal is not None:
            if request.principal.is_machine:
                raise forbidden(ANY_USER)
            await finished(self.http, self.log_out.of(request.principal))
        token = self._token(request)
        if token is not None:
            await finished(self.http, self.log_out.by(request.visitor.host, token))
        return Reply(NO_CONTENT, b"", self.signed_in.cleared())

    def _token(self, request: Request) -> str | None:
        """The refresh token of the body, else that of the cookie."""
        given = request[BODY].refresh_token
        return self._of_cookie(request.head) if given is UNSET else given

    def _of_cookie(self, head: Head) -> str | None:
        if b"authorization" in head.first:
            return None  # whoever has a token of their own is not the browser
        value = cookie_of(head, self.signed_in.refresh_cookie.encode())
        return value.decode("latin-1") if value else None
