"""People who are let in, with money, as their own log-ins and payments would make them, without the time these take."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

from app.contexts.funds.container import FundsContainer
from app.contexts.funds.public import Done
from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.domain.account import NewUser
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import Role
from app.main.contexts import load
from app.main.house import House as Rooms
from app.platform.tenants import DEFAULT
from tests.system.e2e.house import House

AT_ONCE = 100
"""Log-ins: no more wait for a connection than may."""
PATIENCE_S = 120.0
AGAIN_S = 0.1
R = TypeVar("R")


@dataclass(frozen=True)
class Person:
    """A user who has just logged in."""

    id: UUID
    access_token: str
    refresh_token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header by which one is let in."""
        return {"Authorization": f"Bearer {self.access_token}"}


def person(house: House, amount: int = 0, role: Role = Role.CUSTOMER, tenant: str = DEFAULT) -> Person:
    """Somebody new with that much."""
    return people(house, 1, amount, role, tenant)[0]


def people(
    house: House, count: int, amount: int = 0, role: Role = Role.CUSTOMER, tenant: str = DEFAULT
) -> Sequence[Person]:
    """So many, each with that much."""
    with ThreadPoolExecutor(1) as thread:  # a test's own may have an event loop under way
        return thread.submit(
            asyncio.run, let_in(house.environment, [uuid4() for _ in range(count)], amount, role, tenant)
        ).result()


async def let_in(
    environment: Mapping[str, str],
    ids: Sequence[UUID],
    amount: int = 0,
    role: Role = Role.CUSTOMER,
    tenant: str = DEFAULT,
) -> Sequence[Person]:
    """Those of the ids, who are new, each with that much, and all of the tenant."""
    rooms, count = Rooms(load(environment, {})), len(ids)
    identity: IdentityContainer = rooms.container("identity")
    funds: FundsContainer = rooms.container("funds")
    users, tenants = identity.users(), identity.known_tenants()
    open_session, desk = identity.open_session(), funds.funds()
    async with AsyncExitStack() as stack:
        await rooms.open(stack)
        tenant_id = next(one.id for one in await _insist(tenants.all) if one.name == tenant)
        new = [NewUser(id=UserId(id_), tenant_id=tenant_id, role=role) for id_ in ids]
        made = await users.add(tenant_id, new)
        pairs = [
            pair
            for start in range(0, count, AT_ONCE)
            for pair in await asyncio.gather(
                *(_insist(partial(open_session, user)) for user in made[start : start + AT_ONCE])
            )
        ]
        if amount:
            money = Money(amount, Currency("USD"))
            first = [OperationId("tests", user.id, "first") for user in made]
            paying = (
                _insist(partial(desk.credit, id_, tenant_id, user.id, money))
                for id_, user in zip(first, made, strict=True)
            )
            assert all(isinstance(paid, Done) for paid in await asyncio.gather(*paying))
    return [Person(u.id, p.access_token, p.refresh_token) for u, p in zip(made, pairs, strict=True)]


async def _insist(ask: Callable[[], Awaitable[R]]) -> R:
    """Ask until there is an answer. A test before may have ended the database's sessions, and a busy machine may not
    come to a hundred who wait for four connections within the second that the service gives them."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
