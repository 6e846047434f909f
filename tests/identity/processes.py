"""Processes of the API with identity, as many as a test wants, in this one: each with pools and a memory of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

from app.contexts.identity.container import IdentityContainer
from app.main import contexts
from app.main.api import operations, options
from app.main.house import House
from app.main.local.plan import made_here
from app.platform.http.asgi import Api, Services, create_app
from app.platform.http.inflight import InFlight
from tests.api_harness import nothing_to_open
from tests.pace import slow

HOST = "strongbox.test"
PASSWORD = "a line of a song"
ME = "/v1/auth/me"
PATIENCE_S = 60.0


_NUMBERS = count()


def somebody() -> str:
    """The e-mail of somebody new."""
    return f"somebody-{next(_NUMBERS)}@example.org"


@dataclass
class Process:
    """One of them."""

    container: IdentityContainer
    app: Api
    owner_url: str

    def client(self, host: str = HOST) -> httpx.AsyncClient:
        """A client of it, with cookies of its own."""
        transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type] # an ASGI application of ours
        return httpx.AsyncClient(transport=transport, base_url=f"https://{host}")

    async def log_in(self, email: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """What somebody who has logged in is told."""
        answer = await _insist((client or self.client()).post, "/v1/auth/login", {"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def registered(self, email: str) -> dict[str, Any]:
        """The same of somebody new."""
        made = await _insist(self.client().post, "/v1/auth/register", {"email": email, "password": PASSWORD})
        assert made.status_code == 201, made.text
        return await self.log_in(email)

    async def refresh(self, token: str) -> httpx.Response:
        """Renew a session."""
        return await _insist(self.client().post, "/v1/auth/refresh", {"refresh_token": token})

    async def knows(self, token: str, host: str = HOST) -> bool:
        """Whether the token lets in."""
        return await self.status(token, host) == 200

    async def status(self, token: str, host: str = HOST) -> int:
        """How somebody with the token is answered."""
        async with self.client(host) as client:
            return (await client.get(ME, headers=bearer(token))).status_code

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            cursor = owner.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def heads(self, user_id: str) -> list[tuple[UUID, int]]:
        """The log-ins of somebody, each with the number of refresh tokens that are unspent."""
        return self.rows(
            "SELECT f.id, count(t.token_hash) FILTER (WHERE t.spent_at IS NULL) FROM identity.families f"
            " LEFT JOIN identity.refresh_tokens t ON t.family_id = f.id WHERE f.user_id = %s GROUP BY f.id",
            user_id,
        )


async def _insist(post: Callable[..., Awaitable[httpx.Response]], path: str, body: dict[str, Any]) -> httpx.Response:
    """Post it again while the process cannot answer: on a busy machine it may not learn in time who is asking."""
    began = time.monotonic()
    while True:
        answer = await post(path, json=body)
        if answer.status_code != 503 or time.monotonic() - began > PATIENCE_S:
            return answer
        await asyncio.sleep(0.1)


def bearer(token: str) -> dict[str, str]:
    """The header by which somebody is let in."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def process(
    app_url: str, owner_url: str, folder: Path, algorithm: str = "EdDSA", **settings: str
) -> AsyncIterator[Process]:
    """A process over the database. A refused log-in is answered at once; spent tokens are forgiven for longer than a
    busy machine takes to show one again."""
    given = made_here(contexts.load({"JWT_ALG": algorithm}), {"HTTP_PORT": 8080}, folder)
    here = {"CONTEXTS": "identity", "DATABASE_URL": app_url, "LOGIN_FLOOR_MS": "0", "REFRESH_GRACE_S": "30"}
    chosen = {**here, **given, **settings}
    house, in_flight = House(contexts.load(chosen)), InFlight(2.0)
    services = Services(
        in_flight=in_flight,
        readiness=_ready,
        registry=house.platform.registry(),
        render_metrics=lambda: b"",
        lifespan=nothing_to_open,
        people=house.people,
    )
    app = create_app(operations(house, in_flight), services, options(house.settings))
    container: IdentityContainer = house.container("identity")
    container.leftovers()  # asks for its pool
    async with AsyncExitStack() as stack:
        await house.open(stack)
        yield Process(container, app, owner_url)


async def comes_within(limit_s: float, condition: Callable[[], Any]) -> float:
    """Wait for it; the seconds that it took. It holds by the limit: a look that began later has to see it."""
    began = time.monotonic()
    while True:
        looked_s = time.monotonic() - began
        if await condition():
            return looked_s
        assert looked_s < slow(limit_s), f"not within {limit_s:g} s"
        await asyncio.sleep(0.01)


async def _ready() -> Mapping[str, str]:
    return {}
