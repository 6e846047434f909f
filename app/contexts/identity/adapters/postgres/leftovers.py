"""What has had its time: nonces that nobody used, log-ins that have ended, successors that nobody asks for any more."""

from typing import Final

from app.kernel.principal import TenantId
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

BATCH: Final = 1_000
"""Rows of each kind that go at a time."""

NONCES: Final = Statement(f"""
    DELETE FROM identity.nonces WHERE tenant_id = %b::uuid AND nonce IN (
        SELECT nonce FROM identity.nonces WHERE tenant_id = %b::uuid AND expires_at < clock_timestamp()
        ORDER BY expires_at LIMIT {BATCH}
    )
    RETURNING 1
""")
# Its tokens and sessions go with it.
FAMILIES: Final = Statement(f"""
    DELETE FROM identity.families WHERE tenant_id = %b::uuid AND id IN (
        SELECT id FROM identity.families WHERE tenant_id = %b::uuid AND expires_at < clock_timestamp()
        ORDER BY expires_at LIMIT {BATCH}
    )
    RETURNING 1
""")
SUCCESSORS: Final = Statement(f"""
    UPDATE identity.refresh_tokens SET sealed_successor = NULL
    WHERE tenant_id = %b::uuid AND token_hash IN (
        SELECT token_hash FROM identity.refresh_tokens
        WHERE tenant_id = %b::uuid AND sealed_successor IS NOT NULL
          AND spent_at < clock_timestamp() - make_interval(secs => %b::float8)
        ORDER BY spent_at LIMIT {BATCH}
    )
    RETURNING 1
""")


class PostgresLeftovers:
    """Removes them."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @writing
    async def purge(self, tenant_id: TenantId, grace_s: float) -> bool:
        """Remove some of a tenant's; whether there may be more."""
        gone = await self._rows.run(
            tenant_id,
            (NONCES, (tenant_id, tenant_id)),
            (FAMILIES, (tenant_id, tenant_id)),
            (SUCCESSORS, (tenant_id, tenant_id, grace_s)),
        )
        return any(len(rows) == BATCH for rows in gone)
