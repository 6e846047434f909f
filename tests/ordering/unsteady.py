"""A database that is lost at the end of a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from app.contexts.ordering.application.books import Changes
from app.kernel.principal import TenantId


class Unsteady:
    """Books whose connection is lost at each first COMMIT of a work: before it, or behind it."""

    def __init__(self, books: object, *, behind: bool) -> None:
        self._books = books
        self._behind = behind
        self.lost = 0

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator[object]:
        async with self._books.begin(tenant_id) as work:  # type: ignore[attr-defined]
            commit = work.commit

            async def losing(changes: Changes) -> None:
                self.lost += 1
                if self.lost % 2 and self._behind:
                    await commit(changes)
                if self.lost % 2:
                    raise psycopg.OperationalError("the connection is lost")
                await commit(changes)

            work.commit = losing
            yield work
