"""The ledger in PostgreSQL, as it is read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.contexts.rewards.adapters.postgres import user_rows
from app.contexts.rewards.adapters.postgres.entry_rows import LINE_COLUMNS, line_of
from app.contexts.rewards.application.ports import LedgerLine, Place
from app.contexts.rewards.domain.account import Standing
from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.sale import Source
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

LINES: Final = Statement(f"""
    SELECT e.source, e.merchant, e.reference, e.rule_id, {LINE_COLUMNS}
    FROM (
        SELECT * FROM rewards.cashback_ledger l
        WHERE l.tenant_id = %b::uuid AND l.user_id = %b::uuid AND (l.created_at, l.id) < (%b::timestamptz, %b::uuid)
        ORDER BY l.created_at DESC, l.id DESC LIMIT %b::bigint
    ) l
    JOIN rewards.entries e ON e.bucket = l.bucket AND e.user_id = l.user_id AND e.id = l.entry_id
        AND e.tenant_id = l.tenant_id
    ORDER BY l.created_at DESC, l.id DESC
""")
BEFORE_ALL: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
"""No line is newer."""


class PostgresLedger:
    """Implements `Ledger`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def lines(
        self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int
    ) -> Sequence[LedgerLine]:
        """See `Ledger.lines`."""
        page = (tenant_id, user_id, *(before or BEFORE_ALL), limit)
        (rows,) = await self._rows.run(tenant_id, (LINES, page))
        return [
            LedgerLine(line_of(tuple(line)), Source(source), merchant, reference, RuleId(rule_id))
            for source, merchant, reference, rule_id, *line in rows
        ]

    @reading
    async def standing(self, tenant_id: TenantId, user_id: UserId) -> Standing | None:
        """See `Ledger.standing`."""
        (rows,) = await self._rows.run(tenant_id, user_rows.one(tenant_id, user_id))
        return user_rows.standing_of(rows[0]) if rows else None
