"""What the API offers, as data. Routes, checks, the table of errors and the OpenAPI document follow from it.

An operation stands beside its handler: its types, refusals and examples are written there, and nowhere else.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.kernel.principal import Role
from app.platform.http import codes
from app.platform.http.codes import ANY_OPERATION, ErrorCode
from app.platform.http.replies import Reply
from app.platform.http.request import Body, Parameter, Request
from app.platform.http.streamed import Streamed

__all__ = ["Operation", "Parameter", "Request", "Success"]

Json = dict[str, Any]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

BEHIND_THE_DOOR: Final = ("/v1/", "/internal/")
"""Where what people, machines and browsers share holds: the paths of all that the front door stands before."""
LIMITED: Final = "/v1/"
SAFE: Final = ("GET", "HEAD")

ANYONE: Final = "anyone"
"""No credential is looked at; where one is needed, it is the handler's to read."""
API_KEY: Final = "ApiKey"
BEARER: Final = "Bearer"
"""Who may ask: the name of an authentication of the platform's. Of the last, by a token or a session's cookie."""
MAYBE_BEARER: Final = "MaybeBearer"
"""The same, or somebody who shows no credential at all. One that is shown has to be good, but for a cookie below
/v1/auth: whoever comes to be let in anew comes with the one that let in before."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who of those that are let in may ask: users of these roles, and machines with this scope; without one, none.

    Machines that have one of the scopes `or_with` instead may, too.
    """

    roles: frozenset[Role] = frozenset(Role)
    scope: str | None = None
    or_with: frozenset[str] = frozenset()

    @property
    def scopes(self) -> frozenset[str]:
        """All scopes each of which is enough."""
        return self.or_with if self.scope is None else self.or_with | {self.scope}


ANY_USER: Final = Access()
ADMINS: Final = Access(frozenset({Role.ADMIN}))

Bucket = Literal["wallet", "login"]
"""What an operation is limited by beside the client's address and the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """An answer that is no error: a 2xx, or 304. The type is msgspec's, None where there is no body; `headers` names
    those that it has beside X-Request-ID."""

    status: int
    description: str
    type: Any
    example: Any = None
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignError:
    """An error answer in another protocol's words, not in the envelope: the handler makes it.

    `headers` names those that it has beside X-Request-ID.
    """

    status: int
    when: str
    type: Any
    example: Any
    example_name: str
    headers: tuple[str, ...] = ()


Handler = Callable[[Request], Awaitable[Reply | Streamed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path, with all that is to be known of it. `name` is its operation id.

    `who` names the authentication that it asks for. `refusals` are those of its own, beside what any operation answers
    with; one of the same code as a general one says it in its own words. It is idempotent by key when it declares that
    header. A body is taken where one is declared. Of those that are let in `access` says who may; `buckets` are what it
    is limited by beside address and user. One that `is_log_in` sets or ends what a browser is let in by: no other site
    may ask for it, whatever the credential. `foreign_errors` are not in the envelope.
    """

    method: Method
    template: str
    name: str
    tag: str
    summary: str
    who: str
    handler: Handler
    successes: tuple[Success, ...]
    refusals: tuple[ErrorCode, ...] = ()
    parameters: tuple[Parameter[Any], ...] = ()
    body: Body | None = None
    description: str = ""
    access: Access = ANY_USER
    buckets: tuple[Bucket, ...] = ()
    is_log_in: bool = False
    foreign_errors: tuple[ForeignError, ...] = ()

    @property
    def is_behind_the_door(self) -> bool:
        """Whether what all of /v1 shares holds for it."""
        return self.template.startswith(BEHIND_THE_DOOR)

    @property
    def reads_bodies(self) -> bool:
        """Whether a body is looked at; behind the door also one that nobody asked for, where something is changed."""
        return self.body is not None or (self.is_behind_the_door and self.method not in SAFE)

    @property
    def errors(self) -> Sequence[ErrorCode]:
        """All that it may answer with beside its successes."""
        general = [*ANY_OPERATION, *_of_who(self)]
        if self.reads_bodies:
            general.append(codes.UNSUPPORTED_MEDIA_TYPE)
        own = {kind.name for kind in self.refusals}
        return sorted(
            (*(kind for kind in general if kind.name not in own), *self.refusals), key=lambda kind: kind.status
        )


def _of_who(operation: Operation) -> Iterable[ErrorCode]:
    """What an operation refuses because of who asks, from where, and how often."""
    by_people = operation.who in (BEARER, MAYBE_BEARER)
    if by_people:
        yield codes.NOT_LET_IN
    elif operation.who != ANYONE:
        yield codes.UNAUTHORIZED
    if operation.who == BEARER:
        yield codes.FORBIDDEN
    if operation.is_log_in or (by_people and operation.method not in SAFE):
        yield codes.ORIGIN_REFUSED
    if operation.template.startswith(LIMITED):
        yield codes.RATE_LIMITED
    if operation.is_behind_the_door:
        yield codes.UNAVAILABLE


class Contradiction(ValueError):  # noqa: N818 -- it says what is wrong
    """Operations that cannot be served side by side; the message says which and why."""


def check(operations: Iterable[Operation], who: Iterable[str]) -> None:
    """See to it that the operations fit together, and each in itself. `who` are the authentications that there are.

    Raises:
        Contradiction: they do not.
    """
    known = {ANYONE, *who}
    names, keys = dict[str, Operation](), dict[str, Parameter[Any]]()
    statuses, refusals = dict[str, int](), dict[type, ErrorCode]()
    for operation in operations:
        if names.setdefault(operation.name, operation) is not operation:
            raise Contradiction(f"two operations are called {operation.name}")
        if operation.who not in known:
            raise Contradiction(f"{operation.name} asks for {operation.who}, of which nobody here knows anything")
        if operation.is_behind_the_door == (operation.who == API_KEY) and operation.who != ANYONE:
            raise Contradiction(f"{operation.name} asks for {operation.who}, which {operation.template} does not")
        if "wallet" in operation.buckets and operation.who != BEARER:
            raise Contradiction(f"{operation.name} is limited by a wallet, which only somebody has who is let in")
        segments = [segment for segment in operation.template.split("/") if segment.startswith("{")]
        if segments != ["{%s}" % one.name for one in operation.parameters if one.where == "path"]:  # noqa: UP031
            raise Contradiction(f"{operation.name} does not declare what its path says, in that order")
        for one in operation.parameters:
            if keys.setdefault(one.key or one.name, one) is not one:
                raise Contradiction(f"two parameters have the key {one.key or one.name}")
        for kind in operation.errors:
            _check_error(kind, operation, statuses, refusals)


def _check_error(
    kind: ErrorCode, operation: Operation, statuses: dict[str, int], refusals: dict[type, ErrorCode]
) -> None:
    if (status := statuses.setdefault(kind.name, kind.status)) != kind.status:
        raise Contradiction(f"{kind.name} is answered with {status}, and with {kind.status} by {operation.name}")
    for refusal in kind.refusals:
        if refusal.code != kind.name:
            raise Contradiction(f"{operation.name} answers {refusal.__name__} with {kind.name}, not {refusal.code}")
        first = refusals.setdefault(refusal, kind)
        if (first.details_of, first.retry_after_s) != (kind.details_of, kind.retry_after_s):
            raise Contradiction(f"{operation.name} tells of {refusal.__name__} what no other operation does")
