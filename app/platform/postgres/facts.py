"""What contexts tell of their rows to those who compare theirs with it, as `strongbox verify` reads it.

No context reads another's tables: it says by name which facts others may have, tenant by tenant, in the order of their
first column. So does whoever compares, and both go by together: neither is ever held.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from app.platform.postgres.inspection import Session, see_tenant
from app.platform.postgres.integrity import rows
from app.platform.postgres.pipeline import Row
from app.platform.postgres.walls import Tenants


async def rows_of(connection: Session, tenant: str, query: str) -> AsyncIterator[Row]:
    """What the query finds of the tenant's, which it may name as `%(tenant)s`."""
    known = {"tenant": tenant}
    await see_tenant(connection, tenant)
    async for row in rows(connection, query, known if "%(tenant)s" in query else None):
        yield row


@dataclass(frozen=True, slots=True)
class Facts:
    """What contexts tell, each by its name with the context's before it (`funds.holds`)."""

    tenants_known: Tenants
    told: Mapping[str, tuple[Session, str]]

    async def tenants(self) -> Sequence[str]:
        """The ids of all tenants."""
        return [tenant async for (tenant,) in rows(self.tenants_known.connection, self.tenants_known.query)]

    def of(self, tenant: str, name: str) -> AsyncIterator[Row]:
        """What is told of the tenant's."""
        return rows_of(*_place(self.told[name], tenant))


def _place(told: tuple[Session, str], tenant: str) -> tuple[Session, str, str]:
    connection, query = told
    return connection, tenant, query


async def merged(*streams: AsyncIterator[Row]) -> AsyncIterator[tuple[object, Sequence[Sequence[Row]]]]:
    """By each key, which is the first column of rows that come in its order, the rows of each stream."""
    sides = [_Side(stream) for stream in streams]
    for side in sides:
        await side.go_on()
    while keys := [side.row[0] for side in sides if side.row is not None]:
        key = min(keys)
        yield key, [await side.take(key) for side in sides]


class _Side:
    """A stream, looked at one row ahead."""

    def __init__(self, stream: AsyncIterator[Row]) -> None:
        self._stream = stream
        self.row: Row | None = None

    async def go_on(self) -> None:
        self.row = await anext(self._stream, None)

    async def take(self, key: object) -> Sequence[Row]:
        found = []
        while self.row is not None and self.row[0] == key:
            found.append(self.row)
            await self.go_on()
        return found
