"""Two people of the house, money from one to the other, and some of it set aside."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.contexts.funds.public import HoldRef, Part
from app.kernel.ids import UserId
from tests.funds.moving import open_books
from tests.system.e2e.house import LIMIT_S, House, body

PASSWORD = "a line of a song"


@dataclass(frozen=True)
class Market:
    """Who there is, and what happened."""

    email: str
    ada: UUID
    bob: UUID
    transfer_id: UUID
    hold: HoldRef

    @property
    def person(self) -> str:
        """The page of ada."""
        return f"/people/default/{self.ada}"

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages about them."""
        return (
            "/people",
            "/machines",
            self.person,
            f"/wallets/{self.ada}",
            f"/wallets/{self.ada}/holds",
            f"/wallets/{self.ada}/statement",
            f"/transfers/{self.transfer_id}",
            f"/holds/{self.hold.id}",
        )


async def market(house: House) -> Market:
    """A market of its own for whoever asks."""
    name = f"a{uuid4().hex[:20]}"
    house.command("client", "add", "till-7", "--scope", "wallet:receive")
    async with httpx.AsyncClient(base_url=house.api_url, timeout=LIMIT_S) as client:
        ada, bob = [UUID(await _registered(client, name + which)) for which in ("a", "b")]
        house.command("wallet", "fund", str(ada), "USD", "1000000000000000")
        login = {"email": f"{name}a@example.org", "password": PASSWORD}
        token = body(await client.post("/v1/auth/login", json=login), 200)["access_token"]
        sent = await client.post(
            "/v1/wallet/send",
            json={"to": name + "b", "amount": 1_250, "currency": "USD", "note": "n" * 140},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex},
        )
    async with open_books(house.database) as books:
        hold = await books.hold(UserId(ada), 60, datetime.now(UTC) + timedelta(hours=1))
        await books.desk.capture(hold, [Part(UserId(bob), 45)])
    return Market(f"{name}a@example.org", ada, bob, UUID(body(sent, 201)["transfer_id"]), hold)


async def _registered(client: httpx.AsyncClient, name: str) -> str:
    new: dict[str, Any] = {"email": f"{name}@example.org", "username": name, "password": PASSWORD, "first_name": "Ada"}
    user_id: str = body(await client.post("/v1/auth/register", json=new), 201)["user"]["user_id"]
    return user_id
