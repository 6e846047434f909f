"""POST /v1/auth/token: machines get what they are let in by, in OAuth's words (RFC 6749, 4.4 and 5)."""

import binascii
import re
from base64 import b64decode
from collections.abc import Set
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import unquote_plus

from msgspec import Struct, json

from app.contexts.identity.application.issue_client_token import ClientToken, IssueClientToken
from app.contexts.identity.domain.client_refusals import InvalidClient, InvalidScope
from app.contexts.identity.domain.lives import MACHINE_TTL_S
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.finishing import finished
from app.platform.http.forms import FormOrJsonBody, Malformed
from app.platform.http.headers import Head
from app.platform.http.json_body import Rule
from app.platform.http.operations import ANYONE, ForeignError, Operation, Request, Success
from app.platform.http.replies import Reply

GRANT: Final = "client_credentials"

_SCOPES = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_CHALLENGE: Final = (b"www-authenticate", b'Basic realm="strongbox"')
_TEXT: Final = Rule("must be a string")

OAuthError = Literal[
    "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"
]


class TokenBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for. The client shows itself here or by `Authorization: Basic`, never both."""

    grant_type: Annotated[str, _TEXT] = ""
    scope: Annotated[str, _TEXT] = ""
    client_id: Annotated[str, _TEXT] = ""
    client_secret: Annotated[str, _TEXT] = ""


class TokenShape(Struct, frozen=True):
    """A token, for so many seconds, and for this."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class OAuthErrorShape(Struct, frozen=True):
    """Why there is none."""

    error: OAuthError
    error_description: str


BODY = FormOrJsonBody(TokenBody, {"grant_type": GRANT, "scope": "wallet:receive"})


class _Refused(Exception):  # noqa: N818 -- it is an answer
    def __init__(self, error: OAuthError, why: str) -> None:
        super().__init__(error)
        self.error = error
        self.why = why

    @property
    def reply(self) -> Reply:
        body = json.encode(OAuthErrorShape(self.error, self.why))
        return Reply(401, body, (_CHALLENGE,)) if self.error == "invalid_client" else Reply(400, body)


@dataclass(frozen=True, slots=True)
class ClientTokensOverHttp:
    """The handler, with what it needs."""

    issue: IssueClientToken
    http: Http

    @property
    def operation(self) -> Operation:
        """What HTTP offers."""
        return Operation(
            method="POST",
            template="/v1/auth/token",
            name="issueToken",
            tag="machines",
            summary="Get a machine's token",
            description="The client credentials grant of RFC 6749, as a form or as JSON. Without `scope` it is for all "
            "that the client may.",
            who=ANYONE,
            buckets=("login",),
            handler=self.give,
            body=BODY,
            successes=(_GIVEN,),
            refusals=(codes.UNAVAILABLE,),
            foreign_errors=(_MALFORMED, _UNKNOWN),
        )

    async def give(self, request: Request) -> Reply:
        """Give a machine a token."""
        try:
            token = await self._token(request)
        except _Refused as refused:
            request.error_code = refused.error
            return refused.reply
        await request.give_back_log_in()
        return Reply(200, json.encode(TokenShape(token.access_token, "Bearer", token.expires_in_s, token.scope)))

    async def _token(self, request: Request) -> ClientToken:
        body = request[BODY]
        if isinstance(body, Malformed):
            raise _Refused("invalid_request", "; ".join(f"{name} {why}" for name, why in body.details.items()))
        if not body.grant_type:
            raise _Refused("invalid_request", "grant_type is required")
        if body.grant_type != GRANT:
            raise _Refused("unsupported_grant_type", f"grant_type must be {GRANT}")
        client_id, secret = _credentials(request.head, body)
        wanted = _wanted(body.scope)
        try:
            return await finished(self.http, self.issue(request.visitor.host, client_id, secret, wanted))
        except InvalidClient as refusal:
            raise _Refused("invalid_client", str(refusal)) from None
        except InvalidScope as refusal:
            raise _Refused("invalid_scope", str(refusal)) from None


def _credentials(head: Head, body: TokenBody) -> tuple[str, str]:
    """The client's id and its secret."""
    if b"authorization" not in head.first:
        if not body.client_id or not body.client_secret:
            raise _Refused("invalid_client", "the client has to show its id and its secret")
        return body.client_id, body.client_secret
    if body.client_id or body.client_secret:
        raise _Refused("invalid_request", "the client shows itself by Authorization or in the body, never both")
    scheme, _, encoded = head.first[b"authorization"].partition(b" ")
    try:
        client_id, colon, secret = b64decode(encoded.strip(b" "), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != b"basic" or not colon:
        raise _Refused("invalid_client", "Authorization must be Basic, with the client's id and its secret")
    return unquote_plus(client_id), unquote_plus(secret)


def _wanted(scope: str) -> Set[str] | None:
    if not scope:
        return None
    if not _SCOPES.fullmatch(scope):
        raise _Refused("invalid_scope", "scope must be names with one blank between them")
    return frozenset(scope.split(" "))


_GIVEN = Success(
    status=200,
    description="A token.",
    type=TokenShape,
    example={
        "access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
        "token_type": "Bearer",
        "expires_in": MACHINE_TTL_S,
        "scope": "wallet:receive",
    },
)
_MALFORMED = ForeignError(
    status=400,
    when="The request is malformed, or for another grant, or for a scope that the client may not have.",
    type=OAuthErrorShape,
    example={"error": "invalid_scope", "error_description": "the client may not have one of these scopes"},
    example_name="invalid_scope",
)
_UNKNOWN = ForeignError(
    status=401,
    when="There is no such client, its secret is another one, or it is disabled: it is not said which.",
    type=OAuthErrorShape,
    example={"error": "invalid_client", "error_description": "the client is unknown, or its secret is wrong"},
    example_name="invalid_client",
    headers=("WWW-Authenticate",),
)
