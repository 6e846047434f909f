"""GET /v1/auth/nonce and POST /v1/auth/siwe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta, Struct

from app.contexts.identity.adapters.http import examples
from app.contexts.identity.adapters.http.answering import answer
from app.contexts.identity.adapters.http.errors import NOT_PROVED, UNFIT, telling_what_is_not_proved
from app.contexts.identity.adapters.http.log_in import LOGGED_IN
from app.contexts.identity.adapters.http.signed_in import SignedIn
from app.contexts.identity.application.issue_nonce import IssueNonce
from app.contexts.identity.application.sign_in_with_wallet import SignInWithWallet
from app.contexts.identity.application.wallet_domains import host_of
from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.domain.wallet_signature import MOST_BYTES
from app.contexts.identity.settings import IdentitySettings
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.finishing import finished
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import MAYBE_BEARER, Operation, Request, Success
from app.platform.http.replies import Reply
from app.platform.http.shapes import Time, timestamp

Message = Annotated[str, Rule("must be a message of EIP-4361, as it was signed")]
Signature = Annotated[
    Annotated[str, Meta(max_length=2 + 2 * MOST_BYTES, pattern="^0x([0-9A-Fa-f]{2})*$")],
    Rule(f"must be 0x and whole bytes in hexadecimal digits, at most {MOST_BYTES}"),
]

_ADDRESS = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
_NONCE = "5f0c2ad1b86e43e79d1f60a4c2b7e835"
_AT = "2026-01-31T12:00:00.000000Z"
_MESSAGE = f"""example.com wants you to sign in with your Ethereum account:
{_ADDRESS}


URI: https://example.com
Version: 1
Chain ID: 1
Nonce: {_NONCE}
Issued At: {_AT}"""


class NonceShape(Struct, frozen=True):
    """A nonce, good once, and what belongs into the message beside it."""

    nonce: str
    expires_at: Time
    domain: str
    uri: str
    chain_ids: list[int]


class SignedMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A message of EIP-4361, and its signature by the wallet."""

    message: Message
    signature: Signature


_BODY = JsonBody(SignedMessage, example={"message": _MESSAGE, "signature": "0x" + 64 * "5e" + "1b"})
_GIVEN = Success(
    status=200,
    description="A nonce.",
    type=NonceShape,
    example={
        "nonce": _NONCE,
        "expires_at": "2026-01-31T12:05:00.000000Z",
        "domain": "example.com",
        "uri": "https://example.com",
        "chain_ids": [1],
    },
)
_SIGNED_IN = replace(
    LOGGED_IN, example={**LOGGED_IN.example, "user": {**examples.USER, "wallet_address": _ADDRESS, "email": None}}
)
_NO_MESSAGE = replace(UNFIT, details={"message": "the address is not one in its EIP-55 spelling"})
# Where pages come without TLS: from this machine, as a browser on it sees it.
_HERE = ("localhost", "127.0.0.1", "[::1]")


def wallet_operations(container: IdentityContainer, http: Http) -> Sequence[Operation]:
    """What HTTP offers of signing in with a wallet: nothing where there is no domain to do it at."""
    settings: IdentitySettings = container.settings()
    if not settings.wallet_domains:
        return []
    wallets = _Wallets(
        container.issue_nonce(),
        container.sign_in_with_wallet(),
        SignedIn(settings.cookie_secure),
        http,
        settings.cookie_secure,
    )
    return [_nonce(wallets), _siwe(wallets)]


def _nonce(wallets: "_Wallets") -> Operation:
    return Operation(
        method="GET",
        template="/v1/auth/nonce",
        name="getNonce",
        tag="people",
        summary="Get a nonce to sign in with a wallet",
        who=MAYBE_BEARER,
        handler=wallets.get_nonce,
        successes=(_GIVEN,),
        refusals=(codes.UNAVAILABLE,),
    )


def _siwe(wallets: "_Wallets") -> Operation:
    return Operation(
        method="POST",
        template="/v1/auth/siwe",
        name="signInWithWallet",
        tag="people",
        summary="Sign in with a wallet",
        description="An address that nobody has becomes a new customer.",
        who=MAYBE_BEARER,
        handler=wallets.sign_in,
        body=_BODY,
        successes=(_SIGNED_IN,),
        refusals=(_NO_MESSAGE, NOT_PROVED, codes.UNAVAILABLE),
        buckets=("login",),
        is_log_in=True,
    )


@dataclass(frozen=True, slots=True)
class _Wallets:
    """The handlers, with what they need."""

    issue: IssueNonce
    sign_in_with: SignInWithWallet
    signed_in: SignedIn
    http: Http
    is_secure: bool

    async def get_nonce(self, request: Request) -> Reply:
        """Give out a nonce."""
        issuing = self.issue(request.tenant_id, request.visitor.authority)
        given = await self.http.in_flight.read(issuing, self.http.timeout_s)
        is_here = host_of(given.domain) in _HERE
        return answer(
            200,
            NonceShape(
                given.nonce,
                timestamp(given.expires_at),
                given.domain,
                f"{'https' if self.is_secure and not is_here else 'http'}://{given.domain}",
                [int(chain_id) for chain_id in given.chain_ids],
            ),
        )

    async def sign_in(self, request: Request) -> Reply:
        """Let whoever asks in, if the wallet is theirs."""
        body = request[_BODY]
        with telling_what_is_not_proved():
            user, pair = await finished(self.http, self.sign_in_with(request.tenant_id, body.message, body.signature))
        await request.give_back_log_in()
        return self.signed_in.reply(user, pair)
