"""Machines' accounts in PostgreSQL."""

from collections.abc import Set
from datetime import datetime
from typing import Final
from uuid import UUID

from app.contexts.identity.domain.client import Client
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_INSERT: Final = Statement("""
    INSERT INTO identity.clients (tenant_id, id, name, secret_hash, scopes, created_at)
    VALUES (%b::uuid, %b::uuid, %b::text, %b::bytea, %b::text[], clock_timestamp())
""")
_ROTATE: Final = Statement("""
    UPDATE identity.clients
    SET secret_hash = %b::bytea, generation = generation + 1, rotated_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND is_active
    RETURNING id
""")
_DISABLE: Final = Statement("""
    UPDATE identity.clients SET is_active = false WHERE tenant_id = %b::uuid AND id = %b::uuid RETURNING id
""")
_KNOWN: Final = Statement("""
    SELECT name, scopes, generation, created_at, clock_timestamp() FROM identity.clients
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND secret_hash = %b::bytea AND is_active
""")


class PostgresClients:
    """It implements `Clients` and `KnownClients`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @writing
    async def add(self, tenant_id: TenantId, client_id: UUID, name: str, secret_hash: bytes, scopes: Set[str]) -> None:
        """See `Clients.add`."""
        await self._rows.run(tenant_id, (_INSERT, (tenant_id, client_id, name, secret_hash, sorted(scopes))))

    @writing
    async def rotate(self, tenant_id: TenantId, client_id: UUID, secret_hash: bytes) -> bool:
        """See `Clients.rotate`."""
        (rows,) = await self._rows.run(tenant_id, (_ROTATE, (secret_hash, tenant_id, client_id)))
        return bool(rows)

    @writing
    async def disable(self, tenant_id: TenantId, client_id: UUID) -> bool:
        """See `Clients.disable`."""
        (rows,) = await self._rows.run(tenant_id, (_DISABLE, (tenant_id, client_id)))
        return bool(rows)

    @reading
    async def known(self, tenant_id: TenantId, client_id: UUID, secret_hash: bytes) -> tuple[Client, datetime] | None:
        """See `KnownClients.known`."""
        (rows,) = await self._rows.run(tenant_id, (_KNOWN, (tenant_id, client_id, secret_hash)))
        if not rows:
            return None
        name, scopes, generation, created_at, now = rows[0]
        client = Client(
            tenant_id=tenant_id,
            id=client_id,
            name=name,
            scopes=frozenset(scopes),
            generation=generation,
            created_at=created_at,
        )
        return client, now
