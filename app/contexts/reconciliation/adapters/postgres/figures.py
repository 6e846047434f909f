"""What waits to be looked into, added up in PostgreSQL: over runs, which count their own."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.contexts.reconciliation.application.figures import Totals
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

TOTALS: Final = Statement("""
    SELECT coalesce(sum(unresolved), 0)::bigint, count(DISTINCT date) FILTER (WHERE unresolved > 0), max(date)
    FROM reconciliation.runs WHERE bucket = %b::smallint AND tenant_id = %b::uuid
""")


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def totals(self, tenants: Sequence[TenantId]) -> Mapping[TenantId, Totals]:
        """See `Figures.totals`."""
        found = {}
        for tenant_id in tenants:
            ((row,),) = await self._rows.run(tenant_id, (TOTALS, (bucket_of(tenant_id), tenant_id)))
            found[tenant_id] = Totals(*row)
        return found
