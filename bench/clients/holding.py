"""`python -m bench.clients.holding PLAN`: holds placed and captured through the port of funds, in this process."""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from time import perf_counter
from typing import Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import uvloop

from app.contexts.funds.context import FUNDS
from app.contexts.funds.public import Closed, Done, Funds, HoldId, HoldRef, Part
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House
from app.platform.process.uuid7 import uuid7
from bench.filling_rows import CURRENCY, user_id

USD = Currency(CURRENCY)
PATIENCE_S: Final = 60.0
AGAIN_S: Final = 0.05
R = TypeVar("R")


class Plan(msgspec.Struct, frozen=True):
    """So many at once hold and capture, over so many wallets, for so long."""

    database_url: str
    wallets: int
    at_once: int
    duration_s: float


class Outcome(msgspec.Struct, frozen=True):
    """How many holds were captured, and how many were refused something; how long it took."""

    captured: int
    refused: int
    duration_s: float


class Holding:
    """Those who hold and capture, and what came of it."""

    def __init__(self, funds: Funds, plan: Plan) -> None:
        self._funds = funds
        self._users = [UserId(user_id(nth)) for nth in range(plan.wallets)]
        self._tenant = TenantId(uuid4())
        self._numbers = itertools.count(1)
        self.captured = self.refused = 0

    async def until(self, end: float) -> None:
        """Hold and capture, one after the other, until that time of `perf_counter`."""
        while perf_counter() < end:
            nth = next(self._numbers)
            owner, other = (self._users[nth * prime % len(self._users)] for prime in (7919, 104_729))
            if owner == other:
                continue
            if await self._once(owner, other, uuid7(), 1_000 + nth % 9_000):
                self.captured += 1
            else:
                self.refused += 1

    async def _once(self, owner: UserId, other: UserId, business_id: UUID, amount: int) -> bool:
        operation = OperationId("bench", business_id, "hold")
        placed = await _insist(partial(self._funds.hold, operation, self._tenant, owner, Money(amount, USD), None))
        if not isinstance(placed, Done):
            return False
        hold = HoldRef(owner, USD, HoldId(placed.ids[0]))
        return isinstance(await _insist(partial(self._funds.capture, hold, [Part(other, amount)])), Closed)


async def _insist(ask: Callable[[], Awaitable[R]]) -> R:
    """Ask until there is an answer, as callers do: a busy machine may hold the rows for longer than anybody waits."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Unavailable):
                return await ask()
            await asyncio.sleep(AGAIN_S)


async def _main(plan: Plan) -> Outcome:
    house = House(load({"DATABASE_URL": plan.database_url, "CONTEXTS": "funds,payments"}, {}))
    container = house.container("funds")
    assert FUNDS.serving is not None
    serving, funds = FUNDS.serving(container), container.funds()
    async with AsyncExitStack() as stack:
        await house.open(stack)
        await stack.enter_async_context(serving)
        holding, began = Holding(funds, plan), perf_counter()
        end = began + plan.duration_s
        await asyncio.gather(*(holding.until(end) for _ in range(plan.at_once)))
        return Outcome(holding.captured, holding.refused, perf_counter() - began)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
