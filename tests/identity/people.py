"""People for tests: a database with identity in it, its use cases over it, and the API in front of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from dependency_injector import providers
from prometheus_client import CollectorRegistry

from app.contexts.identity.adapters.http.people import people_operations
from app.contexts.identity.application.open_session import Pair
from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.principal import Principal, TenantId
from app.main import contexts
from app.main.house import House
from app.platform.context import Http
from app.platform.http.asgi import HttpOptions, Services, create_app
from app.platform.http.inflight import InFlight
from app.platform.people import Credential, NotLetIn, People
from tests.api_harness import nothing_to_open
from tests.pace import slow

PASSWORD = "a line of a song"
HOST = "strongbox.test"


class OpensFamilies:
    """Opens log-ins that are good for nothing but to be counted, and ended."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self, user: User, checked_hash: str | None = None) -> Pair:
        async with await psycopg.AsyncConnection.connect(self._url) as owner:
            await owner.execute("SELECT set_config('app.current_tenant', %s, false)", [str(user.tenant_id)])
            await owner.execute(
                "INSERT INTO identity.families (tenant_id, id, user_id, created_at, expires_at)"
                " VALUES (%s, %s, %s, now(), now() + interval '1 h')",
                [user.tenant_id, uuid4(), user.id],
            )
        return Pair(
            access_token="a", expires_in_s=900, refresh_token="r", refresh_ttl_s=60, session_token="s", session_ttl_s=60
        )


class ByName:
    """Lets in whoever shows the id of a user as a token, and the family of that log-in behind a point."""

    def __init__(self, container: IdentityContainer) -> None:
        self._users, self._tenants = container.users(), container.known_tenants()

    async def authenticate(self, credential: Credential) -> Principal:
        tenant_id = await self.tenant_of(credential.host)
        user_id, _, family_id = credential.token.partition(".")
        account = await self._users.by_id(tenant_id, UUID(user_id))
        if account is None or not account.user.is_active:
            raise NotLetIn
        return Principal(tenant_id, account.user.id, account.user.role, session_id=UUID(family_id or user_id))

    async def tenant_of(self, host: str) -> TenantId:
        return await self._tenants.of_host(host)


@dataclass
class Population:
    """The people of a database."""

    container: IdentityContainer
    owner_url: str

    async def tenant(self, name: str = "default") -> TenantId:
        """The tenant of that name, made where there is none."""
        operate = self.container.operate()
        for each in await operate.all_tenants():
            if each.name == name:
                return each.id
        host = f"{name}.test"
        made = await operate.add_tenant(name, host)
        async with asyncio.timeout(slow(1)):  # as long as nobody may know it
            while await self.container.known_tenants().of_host(host) != made.id:  # noqa: ASYNC110 -- it is only read
                await asyncio.sleep(0.02)
        return made.id

    async def add(self, tenant: str = "default", **members: Any) -> User:
        """Somebody new."""
        tenant_id = await self.tenant(tenant)
        new = NewUser(id=UserId(uuid4()), tenant_id=tenant_id, **members)
        (user,) = await self.container.users().add(tenant_id, [new])
        return user

    async def register(self, tenant: str = "default", password: str = PASSWORD, **members: Any) -> User:
        """Somebody new, with a password."""
        new = NewUser(id=UserId(uuid4()), tenant_id=await self.tenant(tenant), **members)
        return await self.container.register()(new, password)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            cursor = owner.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def events(self, user: User) -> list[tuple[str, int]]:
        """What was told of somebody: each type with its sequence."""
        return [
            (kind, sequence)
            for kind, sequence in self.rows(
                "SELECT type, sequence FROM identity.outbox_events WHERE subject = %s ORDER BY id", user.id
            )
        ]

    def live_families(self, user: User) -> list[UUID]:
        """The log-ins of somebody that stand."""
        found = self.rows("SELECT id FROM identity.families WHERE user_id = %s AND ended_at IS NULL", user.id)
        return [family_id for (family_id,) in found]

    @asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the API with people's operations."""
        people = People(ByName(self.container), self.container.directory(), "session")
        in_flight = InFlight(2.0)
        http = Http(in_flight, frozenset({"USD"}), 10.0, people)
        services = Services(
            in_flight=in_flight,
            readiness=_ready,
            registry=CollectorRegistry(),
            render_metrics=lambda: b"",
            lifespan=nothing_to_open,
            people=people,
            **settings,
        )
        app = create_app(people_operations(self.container, http), services, HttpOptions(api_keys=()))
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # an ASGI application of ours
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            yield client


async def _ready() -> Mapping[str, str]:
    return {}


def bearer(user: User, family: UUID | None = None) -> dict[str, str]:
    """The header by which somebody is let in."""
    return {"Authorization": f"Bearer {user.id}{'' if family is None else f'.{family}'}"}


@asynccontextmanager
async def population(app_url: str, superuser_url: str, **settings: str) -> AsyncIterator[Population]:
    """People over the database, as a service sees it."""
    house = House(contexts.load({"DATABASE_URL": app_url, "CONTEXTS": "identity", **settings}))
    container: IdentityContainer = house.container("identity")
    container.open_session.override(providers.Object(OpensFamilies(superuser_url)))
    pool = container.pool()
    await pool.open(wait=True)
    try:
        yield Population(container, superuser_url)
    finally:
        await pool.close()
