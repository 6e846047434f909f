"""Registering, signing in, and oneself."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.calls import Who
from strongbox_client.operation import Resource, W, operation
from strongbox_client.values import UNSET, UnsetType, Vocabulary


class Role(Vocabulary):
    """What somebody may do."""

    CUSTOMER = "customer"
    SELLER = "seller"
    ADMIN = "admin"


class User(Struct, frozen=True, kw_only=True):
    """A person, to themselves."""

    user_id: UUID
    username: str | None
    email: str | None
    wallet_address: str | None
    role: Role
    first_name: str | None
    last_name: str | None
    avatar_url: str | None
    phone: str | None
    email_verified: bool
    created_at: datetime
    last_login_at: datetime | None


class SignedIn(Struct, frozen=True):
    """Who it is, and what one is let in by. `expires_in` is the access token's, in seconds."""

    user: User
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str


class MachineToken(Struct, frozen=True):
    """A machine's token, for so many seconds, and for this."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class Nonce(Struct, frozen=True):
    """A nonce, good once, and what belongs into the message (EIP-4361) beside it."""

    nonce: str
    expires_at: datetime
    domain: str
    uri: str
    chain_ids: list[int]


class Auth(Resource[W]):
    """Being let in. A client with a credential does what is needed of this by itself."""

    @operation("POST", "/v1/auth/register", "user", who=Who.NOBODY)
    def register(
        self,
        *,
        email: str,
        password: str,
        username: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        phone: str | None = None,
        role: Literal["customer", "seller"] | None = None,
    ) -> User:
        """Become a user.

        Raises:
            EmailTaken, UsernameTaken: somebody has it.
        """

    @operation("POST", "/v1/auth/login", who=Who.NOBODY, repeats=True)
    def log_in(self, *, email: str, password: str) -> SignedIn:
        """Log in.

        Raises:
            Unauthorized: it is not said why.
        """

    @operation("GET", "/v1/auth/nonce", who=Who.NOBODY)
    def nonce(self) -> Nonce:
        """A nonce to sign in with a wallet."""

    @operation("POST", "/v1/auth/siwe", who=Who.NOBODY)
    def sign_in(self, *, message: str, signature: str) -> SignedIn:
        """Sign in with a wallet: by a message of EIP-4361, and the wallet's signature.

        Raises:
            Unauthorized: it proves nothing, for that `reason`.
        """

    @operation("POST", "/v1/auth/refresh", who=Who.NOBODY, repeats=True)
    def refresh(self, *, refresh_token: str) -> SignedIn:
        """Spend a refresh token for the next pair."""

    @operation("POST", "/v1/auth/logout", repeats=True)
    def log_out(self, *, refresh_token: str | None = None) -> None:
        """End the log-in that the access token or the refresh token belongs to."""

    @operation("POST", "/v1/auth/token", who=Who.NOBODY, repeats=True)
    def token(
        self,
        *,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        grant_type: Literal["client_credentials"] = "client_credentials",
    ) -> MachineToken:
        """A machine's token: without `scope` for all that the client may.

        Raises:
            TokenRefused: in the words of RFC 6749.
        """

    @operation("GET", "/v1/auth/me", "user")
    def me(self) -> User:
        """Who one is."""

    @operation("PATCH", "/v1/auth/me", "user")
    def change_me(
        self,
        *,
        first_name: str | UnsetType | None = UNSET,
        last_name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        avatar_url: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        email: str | UnsetType = UNSET,
        password: str | UnsetType = UNSET,
        current_password: str | UnsetType = UNSET,
        message: str | UnsetType = UNSET,
        signature: str | UnsetType = UNSET,
    ) -> User:
        """Change what is said; None clears names, username, picture and phone. `message` and `signature` link a wallet.

        Raises:
            EmailTaken, UsernameTaken, AddressTaken: somebody has it.
            Forbidden: the current password is another one.
        """
