"""What is remembered of who stands: for less than a second, asked for once for all who wait, never guessed."""

import asyncio
from collections.abc import Collection, Mapping
from uuid import UUID, uuid4

import pytest

from app.contexts.identity.application import who_stands
from app.contexts.identity.application.who_stands import GOOD_FOR_S, OLDEST_S, Key, Kind, WhoStands, Word
from app.kernel.errors import Unavailable
from app.kernel.principal import Principal, Role, TenantId
from app.platform.people import NotLetIn
from tests.pace import slow

TENANT, OTHER = TenantId(uuid4()), TenantId(uuid4())
USER = uuid4()
NOW_S = 1_000_000.0


class Database:
    """Says who stands, when it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[TenantId, frozenset[Key]]] = []
        self.standing: set[Key] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def read(self, tenant_id: TenantId, keys: Collection[Key]) -> tuple[Mapping[Key, Word], float]:
        self.asked.append((tenant_id, frozenset(keys)))
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return {key: Word(Principal(tenant_id, USER, Role.CUSTOMER)) for key in keys if key in self.standing}, NOW_S

    def adds(self) -> Key:
        key = Key(Kind.FAMILY, uuid4())
        self.standing.add(key)
        return key


class Clock:
    """Our own, in seconds."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def who(database: Database, clock: Clock) -> WhoStands:
    return WhoStands(database, clock, most=3)


async def test_a_word_is_good_for_a_while_from_when_it_was_asked(
    who: WhoStands, database: Database, clock: Clock
) -> None:
    key = database.adds()
    assert who.fresh(key) is None
    database.may_answer.clear()
    asking = asyncio.create_task(who.ask(TENANT, key))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.now += 0.3  # it takes its time
    database.may_answer.set()
    standing = await asking
    assert standing.clock_s == NOW_S - 50.0
    clock.now = 50.0 + GOOD_FOR_S - 0.01
    assert who.fresh(key) == standing
    clock.now = 50.0 + GOOD_FOR_S
    assert who.fresh(key) is None
    assert GOOD_FOR_S < 1


async def test_all_who_wait_are_answered_by_one_question(who: WhoStands, database: Database) -> None:
    keys = [database.adds() for _ in range(3)]
    database.may_answer.clear()
    first = [asyncio.create_task(who.ask(TENANT, keys[0])) for _ in range(50)]
    await asyncio.sleep(0.01)
    second = [asyncio.create_task(who.ask(TENANT, key)) for key in keys[1:] for _ in range(50)]
    await asyncio.sleep(0.01)
    database.may_answer.set()
    answers = await asyncio.gather(*first, *second)
    assert {answer.principal.id for answer in answers} == {USER}
    assert database.asked == [(TENANT, frozenset(keys[:1])), (TENANT, frozenset(keys[1:]))]


async def test_a_question_is_of_one_tenant(who: WhoStands, database: Database) -> None:
    key, other = database.adds(), database.adds()
    await asyncio.gather(who.ask(TENANT, key), who.ask(OTHER, other))
    assert sorted(database.asked, key=str) == sorted([(TENANT, frozenset({key})), (OTHER, frozenset({other}))], key=str)


async def test_who_does_not_stand_is_not_let_in_and_not_remembered(
    who: WhoStands, database: Database, clock: Clock
) -> None:
    key = database.adds()
    await who.ask(TENANT, key)
    clock.now += GOOD_FOR_S
    database.standing.clear()
    for _ in range(2):
        with pytest.raises(NotLetIn):
            await who.ask(TENANT, key)
        assert who.fresh(key) is None
    assert len(database.asked) == 3


async def test_a_cancelled_waiter_takes_nothing_from_the_others(who: WhoStands, database: Database) -> None:
    key = database.adds()
    database.may_answer.clear()
    gone, stays = (asyncio.create_task(who.ask(TENANT, key)) for _ in range(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    database.may_answer.set()
    assert (await stays).principal.id == USER
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_what_cannot_be_known_lets_nobody_in(who: WhoStands, database: Database, clock: Clock) -> None:
    key = database.adds()
    await who.ask(TENANT, key)
    clock.now += GOOD_FOR_S
    database.error = Unavailable("away")
    with pytest.raises(Unavailable):
        await who.ask(TENANT, key)
    database.error = None
    assert (await who.ask(TENANT, key)).principal.id == USER


async def test_what_takes_a_second_to_be_said_is_not_known(
    who: WhoStands, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who_stands, "OLDEST_S", OLDEST_S)  # as it is: here it is tested
    database.may_answer.clear()
    began = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match="too long"):
        await who.ask(TENANT, database.adds())
    assert asyncio.get_running_loop().time() - began < slow(1.5)


async def test_a_bug_is_told_to_those_who_wait_and_to_nobody_else(who: WhoStands, database: Database) -> None:
    database.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await who.ask(TENANT, database.adds())
    database.error = None
    await who.ask(TENANT, database.adds())


async def test_no_more_are_remembered_than_there_is_room_for(who: WhoStands, database: Database) -> None:
    keys = [database.adds() for _ in range(5)]
    for key in keys:
        await who.ask(TENANT, key)
    assert [who.fresh(key) is not None for key in keys] == [False, False, True, True, True]


async def test_somebody_is_forgotten_when_this_process_changed_what_lets_them_in(
    who: WhoStands, database: Database
) -> None:
    key = database.adds()
    await who.ask(TENANT, key)
    who.forget(uuid4())
    assert who.fresh(key)
    who.forget(UUID(int=USER.int))
    assert who.fresh(key) is None
