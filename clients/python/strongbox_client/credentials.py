"""What a client shows of itself under `/v1`: an access token, and how it comes by the next one."""

from collections.abc import Callable, Generator
from typing import Any, Final, Protocol, TypeVar

from strongbox_client.calls import Call
from strongbox_client.codes import Unauthorized
from strongbox_client.operations.auth import Auth, SignedIn

T = TypeVar("T")

EARLY_S: Final = 30.0
"""So long before its end a token is renewed."""


class Ask(Protocol):
    """Has a call answered, as nobody."""

    def __call__(self, call: Call[T]) -> Generator[Any, Any, T]:
        """What it answers."""
        ...


class Credential(Protocol):
    """Somebody."""

    token: str | None
    """The access token, once there is one."""

    @property
    def can_be_renewed(self) -> bool:
        """Whether a token that is refused can be followed by another."""
        ...

    def is_due(self, now: float) -> bool:
        """Whether a new one is wanted, by a monotonic clock."""
        ...

    def renewed(self, ask: Ask, clock: Callable[[], float]) -> Generator[Any, Any, None]:
        """Get it.

        Raises:
            StrongboxError: there is none for whom this is.
        """
        ...


class AccessToken:
    """A token from elsewhere: good until it ends."""

    can_be_renewed = False

    def __init__(self, token: str) -> None:
        self.token: str | None = token

    def is_due(self, now: float) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def renewed(self, ask: Ask, clock: Callable[[], float]) -> Generator[Any, Any, None]:  # noqa: ARG002
        """It cannot be, and stays what it is."""
        yield from ()


class _Renewable:
    can_be_renewed = True

    def __init__(self) -> None:
        self.token: str | None = None
        self._until = 0.0

    def is_due(self, now: float) -> bool:
        """Before it ends."""
        return self.token is None or now >= self._until

    def _take(self, token: str, expires_in: float, asked_at: float) -> None:
        self._until = asked_at + expires_in - min(EARLY_S, expires_in / 2)
        self.token = token


class Machine(_Renewable):
    """A machine, by what `strongbox client add` prints. Without scopes it may all that the client may."""

    def __init__(self, client_id: str, client_secret: str, *scopes: str) -> None:
        super().__init__()
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = " ".join(scopes) or None

    def renewed(self, ask: Ask, clock: Callable[[], float]) -> Generator[Any, Any, None]:
        """Ask for the next token."""
        asked_at = clock()
        given = yield from ask(
            Auth.token.call(client_id=self._client_id, client_secret=self._client_secret, scope=self._scope)
        )
        self._take(given.access_token, given.expires_in, asked_at)


class Session(_Renewable):
    """A log-in that there is already, by its refresh token. Each is good once: keep `refresh_token` as it is when you
    are done."""

    def __init__(self, refresh_token: str) -> None:
        super().__init__()
        self.refresh_token: str | None = refresh_token

    @classmethod
    def of(cls, signed_in: SignedIn) -> "Session":
        """The session of somebody who has just signed in, with a wallet perhaps."""
        return cls(signed_in.refresh_token)

    def renewed(self, ask: Ask, clock: Callable[[], float]) -> Generator[Any, Any, None]:
        """Spend the refresh token."""
        asked_at = clock()
        assert self.refresh_token is not None
        self._keep((yield from ask(Auth.refresh.call(refresh_token=self.refresh_token))), asked_at)

    def _keep(self, signed_in: SignedIn, asked_at: float) -> None:
        self.refresh_token = signed_in.refresh_token
        self._take(signed_in.access_token, signed_in.expires_in, asked_at)


class Password(Session):
    """A user, by e-mail and password: logged in when first needed, and again when the session has ended."""

    def __init__(self, email: str, password: str) -> None:
        super().__init__("")
        self.refresh_token = None
        self._email = email
        self._password = password

    def renewed(self, ask: Ask, clock: Callable[[], float]) -> Generator[Any, Any, None]:
        """Renew the session, or begin one."""
        if self.refresh_token is not None:
            try:
                yield from super().renewed(ask, clock)
            except Unauthorized:
                self.refresh_token = None
            else:
                return
        asked_at = clock()
        self._keep((yield from ask(Auth.log_in.call(email=self._email, password=self._password))), asked_at)
