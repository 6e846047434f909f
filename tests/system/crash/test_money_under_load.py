"""Many who send at once: none is lost, none is made, and nobody meets a deadlock; also while the database dies."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import psycopg
import pytest

from tests.system.crash.deeds import Place, places
from tests.system.crash.fragile import Fragile
from tests.system.crash.moves import Moves
from tests.system.e2e.crowd import Person, people, person
from tests.system.e2e.house import LIMIT_S, wait_until

AT_ONCE = 64
AGAIN_S = 0.2
DEADLOCK = "deadlock detected"


@pytest.fixture
def apis(house: Fragile) -> Iterator[list[Place]]:
    """Two processes of the API."""
    api = places(house)["api"]
    other = api.another()
    yield [api, other]
    assert house.stop(other.name) == 0


async def send_all(apis: Sequence[Place], sends: Sequence[tuple[Person, Person, int]]) -> Counter[int]:
    """Send it all, by turns to each of the APIs, as many at once as connections are there; the statuses.

    A wallet that the other API's batch holds for half a second is answered 503, as a busy machine's may: who is told
    so asks again, as clients do.
    """
    slots = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(timeout=LIMIT_S, limits=httpx.Limits(max_connections=AT_ONCE)) as client:

        async def ask(number: int, sender: Person, to: Person, amount: int) -> httpx.Response:
            async with slots:
                return await client.post(
                    f"http://127.0.0.1:{apis[number % len(apis)].port}/v1/wallet/send",
                    json={"to": str(to.id), "amount": amount, "currency": "USD"},
                    headers=sender.bearer | {"Idempotency-Key": f"send-{number}-{sender.id}"},
                )

        async def send(*one: Any) -> int:
            while (answer := await ask(*one)).status_code == 503 or _is_under_way(answer):
                assert "Retry-After" in answer.headers
                await asyncio.sleep(AGAIN_S)
            return answer.status_code

        async with asyncio.timeout(LIMIT_S):
            return Counter(await asyncio.gather(*(send(number, *one) for number, one in enumerate(sends))))


def _is_under_way(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"


def _sums(house: Fragile, users: Sequence[Person]) -> tuple[int, int]:
    find = "SELECT sum(current_balance)::bigint, sum(held)::bigint FROM wallet_balances WHERE user_id = ANY(%s)"
    ((balance, held),) = house.query(find, [user.id for user in users])
    return balance, held


def test_of_a_hundred_sends_of_ten_from_505_fifty_are_done(house: Fragile, apis: list[Place]) -> None:
    ada, bob = person(house, 505), person(house)
    said = asyncio.run(send_all(apis, [(ada, bob, 10)] * 100))
    assert said == {201: 50, 409: 50}
    assert (house.balance(ada.id), house.balance(bob.id)) == (5, 500)
    house.verify()


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.long)])
def test_in_circles_of_many_no_sum_moves_and_nobody_meets_a_deadlock(
    house: Fragile, apis: list[Place], count: int
) -> None:
    """Each sends to both neighbours, in no order: whoever locked the own wallet first would meet others crosswise."""
    users = people(house, count, 1_000)
    sends = [(user, users[(at + step) % count], 7 + step) for at, user in enumerate(users) for step in (1, -1)]
    random.Random(count).shuffle(sends)
    met = house.server.log.read_text().count(DEADLOCK)
    said = asyncio.run(send_all(apis, sends))
    assert said == {201: 2 * count}
    assert house.server.log.read_text().count(DEADLOCK) == met
    assert _sums(house, users) == (1_000 * count, 0)
    house.verify()


def test_postgresql_killed_under_load_loses_and_makes_no_money(house: Fragile) -> None:
    at, users = places(house), people(house, 4, 100_000)
    pids = {name: process.pid for name, process in house.processes.items()}
    with Moves(at, users) as moves:
        wait_until(lambda: moves.done > 40, "some moves")
        house.server.kill()
        house.server.stop()
        house.server.start()
        back = moves.done
        wait_until(lambda: moves.done > back + 20, "service", 20)
    assert set(moves.odd) == set()
    assert _sums(house, users) == (400_000, 0)
    assert {name: process.pid for name, process in house.processes.items()} == pids
    house.verify()


@pytest.mark.long
def test_sessions_ended_under_load_lose_and_make_no_money(house: Fragile) -> None:
    """As a pooler that moves to another server does it, again and again."""
    at, users = places(house), people(house, 4, 100_000)
    with Moves(at, users) as moves, psycopg.connect(house.server.url(), autocommit=True) as superuser:
        for _ in range(20):
            before = moves.done
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'strongbox-%'"
            )
            wait_until(lambda before=before: moves.done > before + 4, "service", 20)  # type: ignore[misc]
    assert set(moves.odd) == set()
    assert _sums(house, users) == (400_000, 0)
    house.verify()
