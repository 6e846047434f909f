"""Notes of what the cache has to forget: with the transaction that wrote, and gone when Redis has confirmed it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from uuid import UUID, uuid4

import pytest

from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.cache.deletions import CacheDeletions, Forgetter
from app.platform.people import House
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.tenancy import TenantRows
from tests.fakes.people import FakePeople

PATIENCE_S = 60.0
KEYS = ["product:1", "product:2", "product:1"]
_ALL = Statement("SELECT id, keys FROM catalog.cache_deletions ORDER BY id")


class Cache:
    """Notes what it has to forget, and confirms it unless told otherwise."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[TenantId, frozenset[str]]] = []
        self.confirms = True

    async def delete(self, tenant_id: TenantId, keys: Collection[str]) -> bool:
        self.forgotten.append((tenant_id, frozenset(keys)))
        return self.confirms


class Tenants(FakePeople):
    """A directory of two tenants."""

    async def tenants(self) -> Sequence[House]:
        return [House(tenant, UserId(uuid4())) for tenant in (self.tenant, self.other_tenant)]


class Place:
    """The catalogue's notes, and a cache that forgets them."""

    def __init__(self, rows: TenantRows) -> None:
        self.rows, self.cache, self.people = rows, Cache(), Tenants()
        self.deletions = CacheDeletions("catalog")
        self.forgetter = Forgetter(self.cache, rows, "catalog")  # type: ignore[arg-type]

    async def notes(self, tenant_id: TenantId) -> Sequence[UUID]:
        """The notes of a tenant that are there."""
        (rows,) = await self.rows.run(tenant_id, (_ALL, ()))
        return [note_id for note_id, _ in rows]

    async def becomes(self, holds: Callable[[Sequence[UUID]], bool]) -> None:
        """Wait until the first tenant's notes are as that."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds(await self.notes(self.people.tenant)):  # noqa: ASYNC110 -- others change it
                await asyncio.sleep(0.02)


@pytest.fixture
async def place(module_database: Urls) -> AsyncIterator[Place]:
    async with make_planned_pool(module_database.app_url, "cache", 2) as pool:
        await pool.wait()
        yield Place(TenantRows(pool))


async def test_a_note_is_there_with_its_transaction_and_goes_once_the_cache_has_forgotten(place: Place) -> None:
    tenant = place.people.tenant
    note = place.deletions.note(tenant, KEYS)
    async with place.forgetter.opened():
        await place.rows.run(tenant, note.call)
        assert await place.notes(tenant) == [note.id]
        await place.forgetter.forget(note)
        await place.becomes(lambda notes: not notes)
    assert place.cache.forgotten == [(tenant, frozenset(KEYS))]


async def test_a_transaction_that_is_undone_leaves_no_note(place: Place) -> None:
    tenant = place.people.tenant
    async with place.rows.open(tenant) as transaction:
        await transaction.begin(place.deletions.note(tenant, KEYS).call)
    assert await place.notes(tenant) == []


async def test_the_same_again_writes_one_note(place: Place) -> None:
    note = place.deletions.note(place.people.tenant, KEYS)
    await place.rows.run(place.people.tenant, note.call, note.call)
    await place.rows.run(place.people.tenant, note.call)
    assert await place.notes(place.people.tenant) == [note.id]


async def test_what_redis_did_not_confirm_stays_noted_and_is_forgotten_again_until_it_does(place: Place) -> None:
    place.cache.confirms = False
    note = place.deletions.note(place.people.tenant, KEYS)
    async with place.forgetter.opened():
        await place.rows.run(place.people.tenant, note.call)
        await place.forgetter.forget(note)
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(place.forgetter.run(place.people, stop))
        while len(place.cache.forgotten) < 3:  # noqa: ASYNC110 -- the other task forgets
            await asyncio.sleep(0.02)
        assert await place.notes(place.people.tenant) == [note.id]
        place.cache.confirms = True
        await place.becomes(lambda notes: not notes)
        stop.set()
    assert {*place.cache.forgotten} == {(place.people.tenant, frozenset(KEYS))}


async def test_notes_that_others_left_go_in_every_tenant(place: Place) -> None:
    tenants = [place.people.tenant, place.people.other_tenant]
    for tenant in tenants:
        await place.rows.run(tenant, place.deletions.note(tenant, KEYS).call)
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(place.forgetter.run(place.people, stop))
        while await place.notes(tenants[0]) or await place.notes(tenants[1]):  # noqa: ASYNC110 -- the other task
            await asyncio.sleep(0.02)
        stop.set()
    assert {*place.cache.forgotten} == {(tenant, frozenset(KEYS)) for tenant in tenants}
