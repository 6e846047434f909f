"""A market that there is not, with people who are made up: what the front door stands before, and a server of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest

from app.platform.http.asgi import HttpOptions, Services, create_app
from app.platform.http.forms import FormOrJsonBody, Malformed
from app.platform.http.inflight import InFlight
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import (
    ADMINS,
    ANYONE,
    API_KEY,
    BEARER,
    MAYBE_BEARER,
    Access,
    ForeignError,
    Operation,
    Request,
    Success,
)
from app.platform.http.parameters import LIMIT
from app.platform.http.replies import Reply
from app.platform.http.server import make_server
from app.platform.people import NotLetIn, People
from tests.api_harness import make_services, wait_until
from tests.platform.doorman import COOKIE, Counter, Doorman

HASH_KEY = "a-key-for-names-in-lines"
LISTED = "https://pages.example"


class Ware(Struct, frozen=True, forbid_unknown_fields=True):
    """Something to sell."""

    name: Annotated[str, Rule("must be a name")]


class LogIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes; without a name the cookie says it."""

    name: Annotated[str | None, Rule("must be a name")] = None


class Grant(Struct, frozen=True, forbid_unknown_fields=True):
    """What a machine asks for."""

    grant_type: Annotated[str, Rule("must be a grant")]
    scope: Annotated[str | None, Rule("must be scopes")] = None


class Told(Struct, frozen=True):
    """Who asked for what, as far as it was seen."""

    user_id: UUID | None
    tenant_id: UUID
    address: str
    authority: str
    host: str
    said: Any = None


class GrantError(Struct, frozen=True):
    """A refusal in other words."""

    error: str
    error_description: str


WARE = JsonBody(Ware, {"name": "a ladder"}, "a ware")
LOG_IN = JsonBody(LogIn, {"name": "alice"})
GRANT = FormOrJsonBody(Grant, {"grant_type": "client_credentials"})


def told(request: Request, said: Any = None, status: int = 200) -> Reply:
    """What the handler sees."""
    principal, visitor = request.principal, request.visitor
    shape = Told(principal.id if principal else None, request.tenant_id, *visitor, said)
    return Reply(status, msgspec.json.encode(shape))


async def tell(request: Request) -> Reply:
    """Say who asked."""
    return told(request)


async def tell_at_length(request: Request) -> Reply:
    """Say so many letters."""
    return told(request, "x" * request[LIMIT] * 10)


async def take_ware(request: Request) -> Reply:
    """Say what was given."""
    return told(request, request[WARE].name, 201)


async def close(_: Request) -> Reply:
    """Say nothing."""
    return Reply(204, b"", ((b"set-cookie", b"a=; Max-Age=0"),))


async def log_in(request: Request) -> Reply:
    """Let those in who have a name; for everybody else it was one try."""
    name = request[LOG_IN].name
    await request.take("login", f"email:{name}")
    if name == "nobody":
        raise NotLetIn
    await request.give_back_log_in()
    return told(request, name)


async def grant(request: Request) -> Reply:
    """Say what was asked for."""
    body = request[GRANT]
    if isinstance(body, Malformed):
        request.error_code = "invalid_request"
        return Reply(400, msgspec.json.encode(GrantError("invalid_request", "; ".join(body.details))))
    return told(request, [body.grant_type, body.scope])


async def fail(_: Request) -> Reply:
    """Meet a bug."""
    raise RuntimeError("a secret")


def offer(
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"], template: str, name: str, who: str, **changes: Any
) -> Operation:
    """An operation that says who asked."""
    yes = Success(status=200, description="Yes.", type=Told)
    made = Operation(
        method=method,
        template=template,
        name=name,
        tag="market",
        summary="Say who asked",
        who=who,
        handler=tell,
        successes=(yes,),
    )
    return replace(made, **changes)


NOTHING = Success(status=204, description="Nothing.", type=None, headers=("Set-Cookie",))
TAKEN = Success(status=201, description="Taken.", type=Told)
GRANT_ERROR = ForeignError(
    status=400,
    when="In other words.",
    type=GrantError,
    example={"error": "invalid_request", "error_description": "grant_type"},
    example_name="invalid_request",
)
OFFERED = (
    offer("GET", "/v1/wares", "listWares", MAYBE_BEARER, parameters=(LIMIT,), handler=tell_at_length),
    offer("POST", "/v1/wares", "addWare", BEARER, body=WARE, handler=take_ware, successes=(TAKEN,)),
    offer("GET", "/v1/mine", "getMine", BEARER),
    offer("POST", "/v1/mine/close", "closeMine", BEARER, handler=close, successes=(NOTHING,), buckets=("wallet",)),
    offer("DELETE", "/v1/mine", "deleteMine", BEARER),
    offer("GET", "/v1/people", "listPeople", BEARER, access=ADMINS),
    offer("POST", "/internal/wares", "fillWares", BEARER, access=Access(frozenset(), "wares:write")),
    offer("GET", "/v1/bug", "meetBug", MAYBE_BEARER, handler=fail),
    offer("GET", "/v1/auth/long", "getLong", MAYBE_BEARER, parameters=(LIMIT,), handler=tell_at_length),
    offer(
        "POST",
        "/v1/auth/login",
        "logIn",
        MAYBE_BEARER,
        body=LOG_IN,
        handler=log_in,
        buckets=("login",),
        is_log_in=True,
    ),
    offer("POST", "/v1/auth/token", "getToken", ANYONE, body=GRANT, handler=grant, foreign_errors=(GRANT_ERROR,)),
    offer(
        "PUT",
        "/v1/everything",
        "doEverything",
        BEARER,
        body=WARE,
        handler=take_ware,
        successes=(TAKEN,),
        access=ADMINS,
        buckets=("wallet", "login"),
        is_log_in=True,
    ),
    offer("GET", "/shop", "getShop", API_KEY, handler=close, successes=(NOTHING,)),
)
OPTIONS = HttpOptions(("the-key-of-the-shop",), cors_origins=(LISTED,), log_hash_key=HASH_KEY)


@dataclass
class Market:
    """The market as it is served, who stands at its door, and who counts."""

    port: int
    doorman: Doorman
    counter: Counter

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """Somebody with this token, or without one."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        base_url = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=base_url, headers=shown | headers, timeout=60)


def services(doorman: Doorman, counter: Counter | None, cookie: str = COOKIE) -> Services:
    """What the market is given beside its operations."""
    registry = CollectorRegistry()
    nobody: Any = None
    made = make_services(InFlight(1.0))
    people = People(doorman, nobody, cookie)
    return replace(
        made, registry=registry, render_metrics=lambda: generate_latest(registry), people=people, limits=counter
    )


@contextmanager
def market(options: HttpOptions = OPTIONS, cookie: str = COOKIE, *, limited: bool = True) -> Iterator[Market]:
    """The market, served in a thread of its own until the end of the block."""
    doorman, counter = Doorman(), Counter()
    app = create_app(OFFERED, services(doorman, counter if limited else None, cookie), options)
    ports: list[int] = []
    server = make_server(app, "127.0.0.1", 0, 1.0, on_started=ports.append)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: bool(ports))
    try:
        yield Market(ports[0], doorman, counter)
    finally:
        server.stop()
        thread.join(60)
