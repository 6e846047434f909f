"""Money set aside: other amounts, captures in parts, releases, and what time ends."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.contexts.funds.adapters.postgres.expiring import PostgresExpiringHolds
from app.contexts.funds.application.closing import Capture, Closing, Release
from app.contexts.funds.application.expire import Expire
from app.contexts.funds.domain.hold import MOST_VERSIONS
from app.contexts.funds.public import Closed, Part
from app.kernel.money import MAX_MINOR
from tests.builders import money
from tests.funds.moving import TENANT, Books, codes, operation, ref
from tests.platform.outbox_fixtures import eventually

LATER = datetime.now(UTC) + timedelta(days=1)


async def test_a_hold_sets_money_aside(books: Books) -> None:
    ada = await books.user(100)
    asked = operation()
    hold = ref(ada, await books.desk.hold(asked, TENANT, ada, money(60), LATER))
    assert await books.stands(ada) == (40, 60)
    assert (await books.kinds(ada))[1:] == [("HOLD", 60)]
    row = (
        "SELECT context, business_id, amount, captured, released, status, version, expires_at FROM holds WHERE id = %s"
    )
    assert await books.all(row, hold.id) == [("market", asked.business_id, 60, 0, 0, "OPEN", 1, LATER)]
    assert await books.events(hold.id) == [("hold.placed", 1)]
    assert codes([await books.desk.hold(operation(), TENANT, ada, money(41), None)]) == ["INSUFFICIENT_FUNDS"]


async def test_an_open_hold_gets_another_amount(books: Books) -> None:
    ada = await books.user(100)
    hold = await books.hold(ada, 60)
    up, down = operation(), operation()
    assert codes([await books.desk.resize(up, hold, 90), await books.desk.resize(up, hold, 90)]) == ["Done", "Done"]
    assert await books.stands(ada) == (10, 90)
    assert codes([await books.desk.resize(operation(), hold, 101)]) == ["INSUFFICIENT_FUNDS"]
    assert codes([await books.desk.resize(down, hold, 20), await books.desk.resize(operation(), hold, 20)]) == [
        "Done",
        "Done",
    ]
    assert await books.stands(ada) == (80, 20)
    assert (await books.kinds(ada))[1:] == [("HOLD", 60), ("HOLD", 30), ("RELEASE", 70)]
    assert await books.events(hold.id) == [("hold.placed", 1), ("hold.resized", 2), ("hold.resized", 3)]
    await books.desk.release(hold)
    assert codes([await books.desk.resize(operation(), hold, 30)]) == ["HOLD_CLOSED"]
    assert await books.desk.resize(down, hold, 20) == await books.desk.resize(down, hold, 20)


async def test_a_hold_whose_changes_are_used_up_can_still_end(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    for end in (Release, Capture):
        hold = await books.hold(ada, 30)
        await books.all("UPDATE holds SET version = %s WHERE id = %s RETURNING id", MOST_VERSIONS - 2, hold.id)
        asked = operation()
        outcomes = [
            await books.desk.resize(operation(), hold, 20),
            await books.desk.resize(asked, hold, 25),
            await books.desk.resize(asked, hold, 25),
        ]
        assert codes(outcomes) == ["Done", "TOO_MANY_CHANGES", "TOO_MANY_CHANGES"]
        closing = Release(hold) if end is Release else Capture(hold, (Part(bob, 20),))
        assert codes([await books.close_one(closing)]) == ["Closed"]
        assert (await books.events(hold.id))[-1][1] == MOST_VERSIONS
    assert await books.stands(ada) == (80, 0)


async def test_a_capture_gives_parts_to_others_and_the_rest_back(books: Books) -> None:
    ada, bob, cy, house = await books.user(100), await books.user(5), await books.user(), await books.user()
    hold = await books.hold(ada, 60)
    parts = [Part(bob, 30), Part(cy, 10), Part(house, 5, is_fee=True)]
    assert await books.desk.capture(hold, parts) == Closed(45, 15)
    stand = [await books.stands(user) for user in (ada, bob, cy, house)]
    assert stand == [(55, 0), (35, 0), (10, 0), (5, 0)]
    assert (await books.kinds(ada))[2:] == [("CAPTURE_OUT", 45), ("RELEASE", 15)]
    assert (await books.kinds(bob))[1:] == [("CAPTURE_IN", 30)]
    assert await books.kinds(house) == [("FEE", 5)]
    of_the_capture = "SELECT count(*), count(DISTINCT created_at) FROM transactions WHERE id = %s"
    assert await books.all(of_the_capture, hold.id) == [(3, 1)]
    without = "SELECT balance_after FROM ledger_entries WHERE transaction_id = %s AND user_id = %s"
    assert await books.all(without, hold.id, ada) == [(None,), (None,)]
    assert await books.events(hold.id) == [("hold.placed", 1), ("hold.captured", 2)]


async def test_a_hold_is_captured_once_and_the_same_again_answers_the_same(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 60)
    assert await books.desk.capture(hold, [Part(bob, 45)]) == Closed(45, 15)
    assert await books.desk.capture(hold, [Part(bob, 45)]) == Closed(45, 15)
    assert codes([await books.desk.capture(hold, [Part(bob, 44)]), await books.desk.release(hold)]) == [
        "HOLD_CLOSED",
        "HOLD_CLOSED",
    ]
    assert await books.stands(ada) == (55, 0)


async def test_a_release_gives_all_back_once(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 60)
    assert [await books.desk.release(hold), await books.desk.release(hold)] == [Closed(0, 60), Closed(0, 60)]
    assert codes([await books.desk.capture(hold, [Part(bob, 1)])]) == ["HOLD_CLOSED"]
    assert (await books.stands(ada), await books.stands(bob)) == ((100, 0), None)
    assert await books.events(hold.id) == [("hold.placed", 1), ("hold.released", 2)]


async def test_a_beneficiary_without_room_refuses_the_whole_and_leaves_the_hold_open(books: Books) -> None:
    ada, bob, rich = await books.user(100), await books.user(), await books.user(MAX_MINOR - 4)
    hold = await books.hold(ada, 60)
    refused = await books.desk.capture(hold, [Part(bob, 30), Part(rich, 5)])
    assert codes([refused]) == ["BALANCE_LIMIT"]
    assert await books.stands(ada) == (40, 60)
    assert codes([await books.desk.capture(hold, [Part(rich, 5, is_fee=True)])]) == ["BALANCE_LIMIT"]
    assert await books.desk.capture(hold, [Part(bob, 30), Part(rich, 4)]) == Closed(34, 26)


async def test_a_capture_is_of_no_more_than_is_held_and_for_others(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 60)
    assert codes([await books.desk.capture(hold, [Part(bob, 61)])]) == ["CAPTURE_TOO_LARGE"]
    for parts in ([], [Part(bob, 0)], [Part(bob, 1), Part(bob, 2)], [Part(ada, 1)]):
        with pytest.raises(ValueError, match="a hold is captured"):
            await books.desk.capture(hold, parts)
    assert await books.stands(ada) == (40, 60)


async def test_the_fees_of_a_batch_are_one_movement_of_the_house(books: Books) -> None:
    house, seller = await books.user(1), await books.user()
    owners = [await books.user(100) for _ in range(5)]
    holds = [await books.hold(owner, 50) for owner in owners]
    captures = [Capture(hold, (Part(seller, 40), Part(house, 2 + n, is_fee=True))) for n, hold in enumerate(holds)]
    rest: list[Closing] = [Release(await books.hold(owners[0], 5)), Capture(holds[0], (Part(seller, 1),))]
    assert codes(await books.close([*captures, *rest])) == ["Closed"] * 6 + ["HOLD_CLOSED"]
    assert (await books.kinds(house))[1:] == [("FEE", 2 + 3 + 4 + 5 + 6)]
    assert (await books.stands(house), await books.stands(seller)) == ((21, 0), (200, 0))


async def test_the_fees_of_a_batch_fit_together_or_the_last_are_refused(books: Books) -> None:
    house = await books.user(MAX_MINOR - 5)
    holds = [await books.hold(await books.user(100), 50) for _ in range(3)]
    results = await books.close([Capture(hold, (Part(house, 2, is_fee=True),)) for hold in holds])
    assert codes(results) == ["Closed", "Closed", "BALANCE_LIMIT"]
    assert await books.stands(house) == (MAX_MINOR - 1, 0)


async def test_from_its_end_on_a_hold_can_only_be_released(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 60, LATER)
    await books.all("UPDATE holds SET expires_at = clock_timestamp() WHERE id = %s RETURNING 1", hold.id)
    assert codes([await books.desk.capture(hold, [Part(bob, 1)])]) == ["HOLD_CLOSED"]
    assert codes([await books.desk.resize(operation(), hold, 10)]) == ["HOLD_CLOSED"]
    assert await books.stands(ada) == (40, 60)
    assert await books.desk.release(hold) == Closed(0, 60)


async def test_what_is_over_is_released_and_the_next_end_is_waited_for(books: Books) -> None:
    ada = await books.user(100)
    released: list[int] = []
    expire = Expire(PostgresExpiringHolds(books.pool), books.close_one, 60.0, released.append)
    soon = datetime.now(UTC) + timedelta(seconds=50)
    first, second = await books.hold(ada, 10, soon), await books.hold(ada, 20, LATER)
    await books.hold(ada, 30)
    assert 0 < await expire.once() <= 50
    await books.all("UPDATE holds SET expires_at = now() + interval '0.5 s' WHERE id = %s RETURNING 1", first.id)
    stop = asyncio.Event()
    running = asyncio.create_task(expire.run(stop))

    async def is_released() -> bool:
        return await books.stands(ada) == (50, 50)

    await eventually(is_released)
    stop.set()
    await running
    assert await books.events(first.id) == [("hold.placed", 1), ("hold.released", 2)]
    assert await books.events(second.id) == [("hold.placed", 1)]
    assert sum(released) == 1
    assert await books.desk.release(second) == Closed(0, 20)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE holds SET released = 16 WHERE id = %s",
        "UPDATE holds SET status = 'OPEN' WHERE id = %s",
        "UPDATE holds SET status = 'RELEASED' WHERE id = %s",
        "UPDATE holds SET captured = 61 WHERE id = %s",
        "INSERT INTO transactions SELECT * FROM transactions WHERE kind = 'CAPTURE_OUT' AND hold_id = %s",
        "UPDATE transactions SET hold_id = NULL WHERE kind = 'CAPTURE_OUT' AND hold_id = %s",
    ],
)
async def test_the_tables_refuse_what_no_hold_can_be(books: Books, wrong: str) -> None:
    ada, bob = await books.user(100), await books.user()
    hold = await books.hold(ada, 60)
    await books.desk.capture(hold, [Part(bob, 45)])
    with pytest.raises(psycopg.errors.IntegrityError):
        await books.all(wrong, hold.id)
