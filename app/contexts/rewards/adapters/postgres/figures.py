"""What is outstanding of cashback, added up in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from app.contexts.rewards.application.figures import Totals
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_UNITS: Final = Statement("""
    SELECT coalesce(sum(accrued), 0), coalesce(sum(minting), 0), coalesce(sum(minted), 0), coalesce(sum(debt), 0)
    FROM rewards.users WHERE tenant_id = %b::uuid
""")
_MINTING: Final = Statement("""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
    FROM rewards.entries WHERE tenant_id = %b::uuid AND is_minting
""")
_PARKED: Final = Statement("SELECT count(*) FROM rewards.parked_events")


class PostgresFigures:
    """Implements `Figures`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def totals(self, tenants: Sequence[TenantId]) -> Totals:
        """See `Figures.totals`."""
        units, entries, oldest_s, parked = [0, 0, 0, 0], 0, 0.0, 0
        for tenant_id in tenants:
            (of_users,), ((count, age_s),), ((parked,),) = await self._rows.run(
                tenant_id, (_UNITS, (tenant_id,)), (_MINTING, (tenant_id,)), (_PARKED, ())
            )
            units = [so_far + int(more) for so_far, more in zip(units, of_users, strict=True)]
            entries, oldest_s = entries + count, max(oldest_s, age_s)
        accrued, minting, minted, debt = units
        return Totals(accrued, minting, minted, debt, entries, oldest_s, parked)
