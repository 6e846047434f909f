"""What the cache has to forget and has not been seen to: notes that wait in the databases, for operators."""

from collections.abc import Collection
from typing import Final, NamedTuple

from app.kernel.principal import TenantId
from app.platform.postgres.inspection import found, inspecting, see_tenant

LOOK_S: Final = 2.0

_WAITING: Final = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
    FROM {schema}.cache_deletions WHERE tenant_id = %(tenant_id)s
"""


class Waiting(NamedTuple):
    """How many notes wait, and the age of the oldest; 0 where there is none."""

    notes: int
    oldest_s: float


class WaitingNotes:
    """Notes in a schema's `cache_deletions`, in the database at the URL."""

    def __init__(self, url: str, schema: str) -> None:
        self._url, self._query = url, _WAITING.format(schema=schema)

    async def of(self, tenants: Collection[TenantId]) -> Waiting:
        """Those of all the tenants.

        Raises:
            Unavailable: the database is out of reach.
        """
        rows = []
        async with inspecting(self._url, LOOK_S) as session:
            for tenant_id in tenants:
                await see_tenant(session, tenant_id)
                rows += await found(session, self._query, {"tenant_id": tenant_id})
        return Waiting(sum(row[0] for row in rows), max((row[1] for row in rows), default=0.0))
