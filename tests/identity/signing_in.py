"""The whole of identity over a database, and clients of its API: signed messages go in, and people come out."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from prometheus_client import CollectorRegistry

from app.contexts.identity.adapters.http.operations import operations
from app.contexts.identity.adapters.jwt.local import keys_of_a_run
from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main import contexts
from app.main.house import House
from app.platform.context import Http
from app.platform.http.asgi import HttpOptions, Services, create_app
from app.platform.http.inflight import InFlight
from tests.api_harness import nothing_to_open
from tests.identity.wallets import DOMAIN, WALLET, Wallet, at, message_text

BEGINNING = "default"
HERE = {"Host": DOMAIN}


@dataclass
class Door:
    """The API of identity with its people."""

    container: IdentityContainer
    client: httpx.AsyncClient
    superuser_url: str

    async def nonce(self, **headers: str) -> dict[str, Any]:
        """What whoever wants in is given."""
        answer = await self.client.get("/v1/auth/nonce", headers={**HERE, **headers})
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json()
        return given

    async def message(self, wallet: Wallet = WALLET, **said: str) -> str:
        """A message of now with a nonce that is good, and all else as it is told."""
        given = await self.nonce()
        fields = {
            "domain": given["domain"],
            "uri": given["uri"],
            "nonce": given["nonce"],
            "address": wallet.address,
            "issued_at": at(0, datetime.now(UTC)),
        }
        return message_text(**{**fields, **said})

    async def send(self, message: Any, signature: Any, **headers: str) -> httpx.Response:
        """Try to sign in."""
        body = {"message": message, "signature": signature}
        return await self.client.post("/v1/auth/siwe", json=body, headers={**HERE, **headers})

    async def sign_in(self, wallet: Wallet = WALLET, **said: str) -> httpx.Response:
        """Try to, with a message that the wallet has signed."""
        message = await self.message(wallet, **said)
        return await self.send(message, wallet.sign(message))

    async def tenant(self, name: str) -> TenantId:
        """The tenant of that name, made where there is none; its host is NAME.example."""
        operate = self.container.operate()
        for each in await operate.all_tenants():
            if each.name == name:
                return each.id
        return (await operate.add_tenant(name, f"{name}.example")).id

    async def add(self, **members: Any) -> User:
        """Somebody new, of the default tenant."""
        tenant_id = await self.tenant(BEGINNING)
        new = NewUser(id=UserId(uuid4()), tenant_id=tenant_id, **members)
        (user,) = await self.container.users().add(tenant_id, [new])
        return user

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a superuser sees, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def events(self, user_id: str) -> list[str]:
        """What was told of somebody."""
        query = "SELECT type FROM identity.outbox_events WHERE subject = %s ORDER BY id"
        return [kind for (kind,) in self.rows(query, UUID(user_id))]

    def nonces(self) -> int:
        """How many nonces there are."""
        return int(self.rows("SELECT count(*) FROM identity.nonces")[0][0])


def reason_of(answer: httpx.Response) -> str:
    """Why somebody was not let in."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "UNAUTHORIZED"), answer.text
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="strongbox"'
    assert "set-cookie" not in answer.headers
    assert list(error["details"]) == ["reason"]
    return str(error["details"]["reason"])


@asynccontextmanager
async def door(app_url: str, superuser_url: str, folder: Path, **settings: str) -> AsyncIterator[Door]:
    """The API over the database."""
    given = {"DATABASE_URL": app_url, "CONTEXTS": "identity", "JWT_ALG": "EdDSA", **settings}
    made = keys_of_a_run(contexts.load(given), folder)
    house = House(contexts.load({**made, **given}))
    container: IdentityContainer = house.container("identity")
    people, in_flight = house.people, InFlight(2.0)
    assert people is not None
    served = operations(container, Http(in_flight, frozenset({"USD"}), 10.0, people))
    services = Services(
        in_flight=in_flight,
        readiness=_ready,
        registry=CollectorRegistry(),
        render_metrics=lambda: b"",
        lifespan=nothing_to_open,
        people=people,
    )
    options = HttpOptions(api_keys=(), cors_origins=("https://pages.example",), log_hash_key=made["LOG_HASH_KEY"])
    transport = httpx.ASGITransport(create_app(list(served), services, options))  # type: ignore[arg-type]
    pools = [container.pool(), container.standing_pool()]
    for pool in pools:
        await pool.open(wait=True)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{DOMAIN}") as client:
            yield Door(container, client, superuser_url)
    finally:
        for pool in pools:
            await pool.close()


async def _ready() -> Mapping[str, str]:
    return {}
