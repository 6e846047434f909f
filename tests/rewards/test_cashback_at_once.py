"""Much at once, and two processes side by side: caps hold, a reference is good for one purchase, nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.rewards.application.asked import BuyRequest, RefundRequest, Result
from app.contexts.rewards.container import RewardsContainer
from app.contexts.rewards.domain.ids import PurchaseId, RefundId
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answered
from app.platform.process.uuid7 import uuid7
from tests.rewards.shop import CONTEXTS, event, payment

TENANT = TenantId(UUID(int=77))
USD = Currency("USD")


class Till:
    """Two processes over one database."""

    def __init__(self, processes: list[RewardsContainer], superuser_url: str) -> None:
        self.processes = processes
        self.superuser_url = superuser_url

    async def user(self) -> UserId:
        user_id = UserId(uuid4())
        await self.processes[0].know()(TENANT, user_id)
        return user_id

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def rule(self, cap: int | None = None) -> None:
        self.all("UPDATE rewards.rules SET is_active = false")
        self.all(
            "INSERT INTO rewards.rules (tenant_id, id, basis_points, currency, cap, is_active, created_at, updated_at)"
            " VALUES (%s, gen_random_uuid(), 100, 'USD', %s, true, now(), now())",
            TENANT, cap,
        )  # fmt: skip

    async def buy(self, process: int, user_id: UserId, reference: str | None = None, amount: int = 1_000) -> Result:
        request = BuyRequest(
            scope=(UserId(uuid4()), "key"), fingerprint=b"", tenant_id=TENANT, purchase_id=PurchaseId(uuid7()),
            user_id=user_id, merchant="m", reference=reference or uuid4().hex, money=Money(amount, USD),
        )  # fmt: skip
        result: Result = await self.processes[process].buy().submit(request)
        return result

    async def refund(self, process: int, purchase_id: UUID, amount: int) -> Result:
        request = RefundRequest(
            scope=(UserId(uuid4()), "key"), fingerprint=b"", tenant_id=TENANT, refund_id=RefundId(uuid7()),
            purchase_id=PurchaseId(purchase_id), amount_minor=amount, reference=uuid4().hex,
        )  # fmt: skip
        result: Result = await self.processes[process].take_back().submit(request)
        return result


@pytest.fixture(scope="module")
async def till(module_database: Urls, superuser_url: str) -> AsyncIterator[Till]:
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(2):
            house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": CONTEXTS}, {}))
            container: RewardsContainer = house.container("rewards")
            container.buy(), container.take_back(), container.hearing()
            for pool in await house.open(stack):
                await pool.wait()
            processes.append(container)
        yield Till(processes, superuser_url)


def answers(results: list[Result]) -> list[tuple[int, bytes]]:
    """The answers; all have one."""
    assert all(isinstance(result, Answered) for result in results), results
    return [(result.answer.status, result.answer.body) for result in results if isinstance(result, Answered)]


async def test_a_cap_holds_however_much_comes_at_once(till: Till) -> None:
    till.rule(cap=1_234_567)
    user_id = await till.user()
    answers(await asyncio.gather(*(till.buy(n % 2, user_id) for n in range(60))))
    ((earned, count),) = till.all("SELECT sum(amount), count(*) FROM rewards.entries WHERE user_id = %s", user_id)
    assert (earned, count) == (1_234_567, 13)
    ((accrued,),) = till.all("SELECT accrued FROM rewards.users WHERE user_id = %s", user_id)
    assert accrued == earned


async def test_of_the_same_purchase_told_at_once_there_is_one_and_all_have_its_answer(till: Till) -> None:
    till.rule()
    for _ in range(10):
        user_id, reference = await till.user(), uuid4().hex
        found = answers(await asyncio.gather(*(till.buy(n % 2, user_id, reference) for n in range(12))))
        assert len(set(found)) == 1
        assert found[0][0] == 201
        assert till.all("SELECT count(*) FROM rewards.cashback_ledger WHERE user_id = %s", user_id) == [(1,)]


async def test_of_two_purchases_with_one_reference_told_at_once_one_is_refused(till: Till) -> None:
    till.rule()
    for _ in range(10):
        users, reference = [await till.user() for _ in range(2)], uuid4().hex
        found = await asyncio.gather(*(till.buy(n, user_id, reference) for n, user_id in enumerate(users)))
        assert Counter(status for status, _ in answers(found)) == {201: 1, 409: 1}


async def test_refunds_at_once_are_never_more_than_the_purchase(till: Till) -> None:
    till.rule()
    user_id, reference = await till.user(), uuid4().hex
    answers([await till.buy(0, user_id, reference, 100)])
    ((purchase_id,),) = till.all("SELECT id FROM rewards.purchases WHERE reference = %s", reference)
    found = answers(await asyncio.gather(*(till.refund(n % 2, purchase_id, 9) for n in range(20))))
    assert Counter(status for status, _ in found) == {201: 11, 409: 9}
    ((refunded, taken),) = till.all(
        "SELECT sum(amount), sum(reversed) FROM rewards.refunds WHERE purchase_id = %s", purchase_id
    )
    assert (refunded, taken) == (99, 9_900)


async def test_purchases_and_events_of_many_at_once_wait_for_nobody_crosswise(till: Till) -> None:
    till.rule()
    users = [await till.user() for _ in range(12)]

    async def told(n: int) -> None:
        batch = [
            event("payment.completed", payment(UUID(int=user.int), 1_000)) for user in users[:: 1 if n % 2 else -1]
        ]
        for _ in range(5):  # as a consumer does: what meets another comes again
            try:
                return await till.processes[n % 2].hearing()(batch)
            except ConnectionError:
                continue
        raise AssertionError("it never came through")

    buying = [till.buy(n % 2, user_id) for n in range(4) for user_id in users]
    results, _ = await asyncio.gather(asyncio.gather(*buying), asyncio.gather(*(told(n) for n in range(6))))
    answers(results)
    rows = till.all("SELECT DISTINCT accrued FROM rewards.users WHERE user_id = ANY(%s)", users)
    assert rows == [(1_000_000,)]
