"""Money moved by many at once, as by several processes: none is lost, none is made, nobody is told of a deadlock."""

import asyncio
import random
from collections import Counter
from typing import Any
from uuid import uuid4

from app.contexts.funds.domain.operation import Transfer
from app.contexts.funds.public import Done, Forbidden, Part
from app.kernel.operation_id import OperationId
from app.platform.idempotency.keys import Answered
from tests.builders import money
from tests.funds.moving import TENANT, Books, codes, operation, send_request
from tests.patience import in_lanes


def processes(books: Books, count: int) -> list[Any]:
    """So many lanes of senders, as in processes of their own."""
    return [in_lanes(books.send, lambda request: request.sender, books.pool) for _ in range(count)]


async def test_of_a_hundred_sends_of_ten_from_505_fifty_are_done(books: Books) -> None:
    ada, bob = await books.user(505), await books.user()
    lanes = processes(books, 3)
    results = await asyncio.gather(*(lanes[n % 3](send_request(ada, bob, 10)) for n in range(100)))
    assert all(isinstance(result, Answered) for result in results)
    assert Counter(result.answer.status for result in results) == {201: 50, 409: 50}
    assert (await books.stands(ada), await books.stands(bob)) == ((5, 0), (500, 0))


async def test_in_circles_of_many_no_sum_moves_and_nobody_is_refused_for_a_deadlock(books: Books) -> None:
    """Each sends to both neighbours, through lanes of several processes, while holds are placed, captured, released."""
    users = [await books.user(1_000) for _ in range(60)]
    lanes, shuffled = processes(books, 3), random.Random(1)
    sends = [
        lanes[shuffled.randrange(3)](send_request(sender, users[(at + step) % len(users)], 7))
        for at, sender in enumerate(users)
        for step in (1, -1, 2, -2)
    ]

    async def hold_and_capture(at: int) -> str:
        hold = await books.hold(users[at], 30)
        others = [users[(at + step) % len(users)] for step in (1, 2)]
        return codes([await books.desk.capture(hold, [Part(other, 11) for other in others])])[0]

    both: list[Any] = [*sends, *map(hold_and_capture, range(len(users)))]
    shuffled.shuffle(both)
    ended = Counter(getattr(getattr(r, "answer", r), "status", r) for r in await asyncio.gather(*both))
    assert ended == {201: 240, "Closed": 60}
    assert await books.all("SELECT sum(current_balance), sum(held) FROM wallet_balances WHERE user_id = ANY(%s)",
                           users) == [(60_000, 0)]  # fmt: skip


async def test_two_processes_with_the_same_operation_do_it_once(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    desks, asked = [books.make_desk() for _ in range(3)], operation()
    results = await asyncio.gather(*(desk.transfer(asked, TENANT, ada, bob, money(30)) for desk in desks * 5))
    assert len(set(results)) == 1
    assert await books.stands(ada) == (70, 0)


async def test_forbidden_or_done_is_the_same_for_all_who_ask(books: Books) -> None:
    ada, bob = await books.user(1_000), await books.user()
    desk, other = books.make_desk(), books.make_desk()
    done = 0
    for n in range(20):
        asked = operation()
        both = (desk.transfer(asked, TENANT, ada, bob, money(1)), other.forbid(asked))
        transferred, forbidden = await asyncio.gather(*(both if n % 2 else reversed(both)))
        if not n % 2:
            transferred, forbidden = forbidden, transferred
        if isinstance(transferred, Done):
            done += 1
            assert forbidden == transferred
        else:
            assert (codes([transferred]), forbidden) == (["FORBIDDEN_OPERATION"], Forbidden())
    assert await books.stands(ada) == (1_000 - done, 0)


async def test_capture_release_and_the_end_of_a_hold_meet_and_one_wins(books: Books) -> None:
    for _ in range(10):
        ada, bob = await books.user(100), await books.user()
        hold = await books.hold(ada, 60)
        desks = [books.make_desk() for _ in range(3)]
        results = await asyncio.gather(
            desks[0].capture(hold, [Part(bob, 60)]), desks[1].release(hold), desks[2].capture(hold, [Part(bob, 59)])
        )
        assert sorted(codes(results)) == ["Closed", "HOLD_CLOSED", "HOLD_CLOSED"]
        stands = (await books.stands(ada) or (0, 0))[0] + (await books.stands(bob) or (0, 0))[0]
        assert stands == 100


async def test_wallets_are_opened_once_whoever_sends_there_first(books: Books) -> None:
    senders, to = [await books.user(10) for _ in range(12)], [await books.user() for _ in range(4)]
    desks = [books.make_desk() for _ in range(4)]
    members = [[Transfer(TENANT, sender, each, money(2)) for each in shuffled(to)] for sender in senders]
    results = await asyncio.gather(
        *(desks[n % 4].together(OperationId("market", uuid4(), "all"), many) for n, many in enumerate(members))
    )
    assert codes(results) == ["Done"] * 12
    assert [await books.stands(each) for each in to] == [(24, 0)] * 4


def shuffled(users: list[Any]) -> list[Any]:
    return random.Random(str(users)).sample(users, len(users))
