"""Log-ins and machines in PostgreSQL, as operators look after them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.contexts.identity.application.operate_on_people import LogInLine
from app.contexts.identity.application.read_machines import Machine
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_LAST_ID: Final = UUID(int=2**128 - 1)
_BEFORE_ALL: Final = (datetime(9999, 12, 31, tzinfo=UTC), _LAST_ID)

LOG_INS: Final = Statement("""
    SELECT id, created_at, expires_at, ended_at, ended_at IS NOT NULL OR expires_at <= clock_timestamp()
    FROM identity.families
    WHERE tenant_id = %b::uuid AND user_id = %b::uuid AND (created_at, id) < (%b::timestamptz, %b::uuid)
    ORDER BY created_at DESC, id DESC
    LIMIT %b::bigint
""")
_END: Final = Statement("""
    UPDATE identity.families SET ended_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND user_id = %b::uuid AND ended_at IS NULL
    RETURNING id
""")
MACHINES: Final = Statement("""
    SELECT id, name, scopes, is_active, generation, created_at, rotated_at FROM identity.clients
    WHERE tenant_id = %b::uuid AND id < %b::uuid
    ORDER BY id DESC
    LIMIT %b::bigint
""")


class PostgresOperated:
    """It implements `LogIns` and `Machines`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def page(
        self, tenant_id: TenantId, user_id: UUID, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[LogInLine]:
        """See `LogIns.page`."""
        (rows,) = await self._rows.run(tenant_id, (LOG_INS, (tenant_id, user_id, *(before or _BEFORE_ALL), limit)))
        return list(map(LogInLine._make, rows))

    @writing
    async def end(self, tenant_id: TenantId, user_id: UUID, log_in_id: UUID) -> bool:
        """See `LogIns.end`."""
        (rows,) = await self._rows.run(tenant_id, (_END, (tenant_id, log_in_id, user_id)))
        return bool(rows)

    @reading
    async def machines(self, tenant_id: TenantId, before: UUID | None, limit: int) -> Sequence[Machine]:
        """See `Machines.machines`."""
        (rows,) = await self._rows.run(tenant_id, (MACHINES, (tenant_id, before or _LAST_ID, limit)))
        return list(map(Machine._make, rows))
