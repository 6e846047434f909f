"""Nonces in PostgreSQL: a row until it is spent, or its time is over."""

from datetime import datetime
from secrets import token_hex
from typing import Final

from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

BYTES: Final = 16
"""Of chance in a nonce, as hexadecimal digits: letters and digits is all that its grammar knows."""
_SWEPT: Final = 100
"""Old nonces that go with a new one, at the most: more than come, whoever leaves them."""

_INSERT = Statement("""
    INSERT INTO identity.nonces (tenant_id, nonce, expires_at)
    VALUES (%b::uuid, %b::text, clock_timestamp() + %b::float8 * interval '1 second')
    RETURNING expires_at
""")
# One at a time: nobody waits for another who sweeps, and no two meet in another order. By the time of the transaction,
# which an index can be searched by; that of the moment would have all nonces looked at that are still good.
_SWEEP = Statement(f"""
    WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended('identity.nonces', 0)) AS got)
    DELETE FROM identity.nonces
    WHERE tenant_id = %b::uuid AND nonce = ANY (ARRAY(
        SELECT nonce FROM identity.nonces
        WHERE tenant_id = %b::uuid AND expires_at < now() AND (SELECT got FROM mine)
        ORDER BY expires_at LIMIT {_SWEPT}))
""")
_SPEND = Statement("""
    DELETE FROM identity.nonces WHERE tenant_id = %b::uuid AND nonce = %b::text
    RETURNING expires_at > clock_timestamp(), clock_timestamp()
""")


class PostgresNonces:
    """The ports NewNonces and Nonces."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rows = TenantRows(pool)

    @reading  # again with another nonce: nobody knows of the one that was lost with its connection
    async def issue(self, tenant_id: TenantId, ttl_s: float) -> tuple[str, datetime]:
        """A nonce that there never was, and until when it is good.

        Raises:
            Unavailable: none can be made now.
        """
        nonce = token_hex(BYTES)
        rows, _ = await self._rows.run(
            tenant_id, (_INSERT, (tenant_id, nonce, ttl_s)), (_SWEEP, (tenant_id, tenant_id))
        )
        return nonce, rows[0][0]

    @reading  # again: one that is spent by then counts as spent, as it may be by another
    async def spend(self, tenant_id: TenantId, nonce: str) -> datetime | None:
        """Spend the nonce, whatever follows: the time now if it was good, None if it was not.

        Raises:
            Unavailable: it cannot be known now.
        """
        (rows,) = await self._rows.run(tenant_id, (_SPEND, (tenant_id, nonce)))
        return rows[0][1] if rows and rows[0][0] else None
