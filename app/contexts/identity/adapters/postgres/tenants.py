"""Tenants in PostgreSQL. They are the one table here that all of them share."""

from collections.abc import Sequence
from typing import Final

from app.contexts.identity.adapters.postgres.refused import refusing_what_is_taken
from app.contexts.identity.domain.tenant import Tenant
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Statement, run
from app.platform.postgres.pool import Pool, session

_ALL: Final = Statement("SELECT id, name, host, house_user_id FROM identity.tenants ORDER BY created_at, id")
_INSERT: Final = Statement("""
    INSERT INTO identity.tenants (id, name, host, house_user_id) VALUES (%b::uuid, %b::text, %b::text, %b::uuid)
""")


class PostgresTenants:
    """Implements `Tenants`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @reading
    async def all(self) -> Sequence[Tenant]:
        """See `Tenants.all`."""
        async with session(self._pool) as connection:
            (rows,) = await run(connection, [(_ALL, ())])
        return [Tenant(TenantId(tenant_id), name, host, UserId(house)) for tenant_id, name, host, house in rows]

    @writing
    async def add(self, tenant: Tenant) -> None:
        """See `Tenants.add`."""
        with refusing_what_is_taken():
            async with session(self._pool) as connection:
                await run(connection, [(_INSERT, (tenant.id, tenant.name, tenant.host, tenant.house_user_id))])
