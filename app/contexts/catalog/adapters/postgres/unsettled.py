"""What is unsettled of the stock, counted along the indexes of what is open: as many rows as are."""

from collections.abc import Sequence
from typing import Final

from app.contexts.catalog.application.watch_stock import Unsettled
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_AGE: Final = "coalesce(extract(epoch FROM clock_timestamp() - min({since})), 0)::float8"

# Row and lines are written in one transaction, and seen in one snapshot.
UNSETTLED: Final = Statement(f"""
    WITH open AS (
        SELECT l.bucket, l.business_id, l.context, l.name, l.product_id, l.qty
        FROM catalog.reservation_lines l
        WHERE l.tenant_id = %b::uuid AND l.status = 'RESERVED'
    )
    SELECT reserved.*, disagreeing.*, notes.* FROM
        (SELECT count(*), {_AGE.format(since="r.created_at")} FROM open l
         JOIN catalog.reservations r ON r.tenant_id = %b::uuid AND r.bucket = l.bucket
            AND r.business_id = l.business_id AND r.context = l.context AND r.name = l.name
         WHERE NOT r.pinned) reserved,
        (SELECT count(*) FROM (SELECT product_id, sum(qty) AS qty FROM open GROUP BY product_id) l
         LEFT JOIN catalog.products p ON p.tenant_id = %b::uuid AND p.id = l.product_id
            AND p.bucket = get_byte(uuid_send(l.product_id), 15) & 15
         WHERE p.reserved IS DISTINCT FROM l.qty) disagreeing,
        (SELECT count(*), {_AGE.format(since="n.created_at")} FROM catalog.cache_deletions n
         WHERE n.tenant_id = %b::uuid) notes
""")


class PostgresUnsettledStock:
    """Implements `UnsettledStock`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def unsettled(self, tenants: Sequence[TenantId]) -> Unsettled:
        """See `UnsettledStock.unsettled`."""
        found = [row for each in tenants for row in (await self._rows.run(each, (UNSETTLED, (each,) * 4)))[0]]
        if not found:
            return Unsettled(0, 0.0, 0, 0, 0.0)
        reserved, reserved_s, disagreeing, notes, note_s = zip(*found, strict=True)
        return Unsettled(sum(reserved), max(reserved_s), sum(disagreeing), sum(notes), max(note_s))
