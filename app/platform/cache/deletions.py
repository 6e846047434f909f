"""What the cache has to forget, as rows of the transaction that wrote: whoever dies between, it is forgotten.

`note.call` goes into the transaction, `await forgetter.forget(note)` or `forgetter.begin(note)` into a `finally` around
it: of a COMMIT whose answer was lost nobody knows whether it happened.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.cache.ports import Cache
from app.platform.people import Directory
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.tenancy import TenantRows, as_tenant
from app.platform.process.rounds import Rounds
from app.platform.process.uuid7 import uuid7
from app.platform.process.waiting import pause

MOST_CONFIRMED: Final = 10_000
"""Rows that wait for being taken away. More are left to recovery."""
LOOK_EVERY_S: Final = 0.5
LEFT_AFTER_S: Final = 0.5
"""Who wrote a row deletes its keys at once: then whoever looks finds none as old as that."""
TENANTS_A_LOOK: Final = 100
ROWS_A_LOOK: Final = 500
"""Of a tenant."""

_INSERT: Final = """
    INSERT INTO {schema}.cache_deletions (tenant_id, id, keys) VALUES (%b::uuid, %b::uuid, %b::text[])
    ON CONFLICT DO NOTHING
"""
_DELETE: Final = "DELETE FROM {schema}.cache_deletions WHERE tenant_id = %b::uuid AND id = ANY(%b::uuid[])"
_LEFT: Final = """
    SELECT id, keys FROM {schema}.cache_deletions
    WHERE tenant_id = %b::uuid AND created_at < clock_timestamp() - %b::float8 * interval '1 second'
    ORDER BY id LIMIT %b::bigint
"""


class Note(NamedTuple):
    """Keys that are to be forgotten once a transaction has committed."""

    tenant_id: TenantId
    keys: Collection[str]
    id: UUID
    call: Call
    """The statement that writes it down: for that transaction, anywhere in it. It returns nothing."""


class CacheDeletions:
    """Notes in a schema's `cache_deletions`."""

    def __init__(self, schema: str) -> None:
        self._insert = Statement(_INSERT.format(schema=schema))

    def note(self, tenant_id: TenantId, keys: Collection[str]) -> Note:
        """A note of these keys, of which there has to be one. Too many keys do no harm but to the cache."""
        note_id, texts = uuid7(), list(dict.fromkeys(keys))
        return Note(tenant_id, texts, note_id, (self._insert, (tenant_id, note_id, texts)))


class Forgets(Protocol):
    """Has the cache forget what was noted."""

    async def forget(self, note: Note) -> None:
        """After the transaction, however it ended: from now on nobody here reads what was before. Raises nothing."""
        ...

    def begin(self, note: Note) -> None:
        """The same, for whoever cannot wait for Redis: readers of other processes see it as soon as Redis is told."""
        ...


class Forgetter(Forgets):
    """Has the cache forget what was noted, and takes the note away once it has: opened, its own notes, at work as
    `run` those that others have left, too.
    """

    def __init__(self, cache: Cache, rows: TenantRows, schema: str) -> None:
        self._cache, self._rows = cache, rows
        self._delete, self._left = (Statement(text.format(schema=schema)) for text in (_DELETE, _LEFT))
        self._confirmed: list[Note] = []
        self._is_open, self._has_some = False, asyncio.Event()
        self._begun: set[asyncio.Task[None]] = set()

    async def forget(self, note: Note) -> None:
        """After the transaction, however it ended: from now on nobody here reads what was before. Raises nothing."""
        if await self._cache.delete(note.tenant_id, note.keys) and self._is_open:
            if len(self._confirmed) < MOST_CONFIRMED:
                self._confirmed.append(note)
            self._has_some.set()

    def begin(self, note: Note) -> None:
        """The same, for whoever cannot wait for Redis: readers of other processes see it as soon as Redis is told."""
        # Its first step, behind which nobody here reads what was before, comes before that of whoever is told of the
        # transaction from here on. It is nobody's: what is logged of it has not their request id.
        task = asyncio.get_running_loop().create_task(self.forget(note), context=Context())
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Take confirmed notes away meanwhile, those that come together at once. Pools have to be open."""
        self._is_open = True
        taking = asyncio.create_task(self._take_away_as_they_come())
        try:
            yield
        finally:
            if self._begun:
                await asyncio.wait(self._begun)
            self._is_open = False
            self._has_some.set()
            await taking

    async def run(self, directory: Directory, stop: asyncio.Event) -> None:
        """Until told to stop: forget what was left, of all tenants, and ask again where Redis does not confirm it."""
        rounds = Rounds("cache deletions")
        while not stop.is_set():
            with rounds.survived():
                await self._forget_left([house.tenant_id for house in await directory.tenants()])
            await pause(rounds.wait_s(LOOK_EVERY_S), stop)

    async def _forget_left(self, tenants: Sequence[TenantId]) -> None:
        for start in range(0, len(tenants), TENANTS_A_LOOK):
            some = tenants[start : start + TENANTS_A_LOOK]
            found = await self._each({tenant: (self._left, (tenant, LEFT_AFTER_S, ROWS_A_LOOK)) for tenant in some})
            for tenant, rows in zip(some, found, strict=True):
                keys = {key for _, of_one in rows for key in of_one}
                if keys and await self._cache.delete(tenant, keys):
                    await self._each({tenant: (self._delete, (tenant, [note_id for note_id, _ in rows]))})

    async def _take_away_as_they_come(self) -> None:
        rounds = Rounds("cache notes")
        while self._is_open or self._confirmed:
            await self._has_some.wait()
            self._has_some.clear()
            notes, self._confirmed = self._confirmed, []
            with rounds.survived():  # notes of a round that did not survive are left to recovery
                await self._take_away(notes)

    async def _take_away(self, notes: Collection[Note]) -> None:
        ids: dict[TenantId, list[UUID]] = {}
        for note in notes:
            ids.setdefault(note.tenant_id, []).append(note.id)
        if ids:
            await self._each({tenant: (self._delete, (tenant, of_one)) for tenant, of_one in ids.items()})

    async def _each(self, calls: dict[TenantId, Call]) -> Sequence[Sequence[Row]]:
        """Each tenant's statement as that tenant, all in one transaction and one round trip: the rows of each."""
        if not calls:
            return []
        first, *others = calls
        rest = [call for tenant in others for call in (as_tenant(tenant), calls[tenant])]
        try:
            return (await self._rows.run(first, calls[first], *rest))[::2]
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            if fault(error) is Fault.OTHER:
                raise
            raise Unavailable(type(error).__name__) from error
