"""Rules in PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.contexts.rewards.adapters.postgres import rule_rows
from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.rule import Rule
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows


class PostgresRules:
    """Implements `Rules`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def all(self, tenant_id: TenantId) -> Sequence[Rule]:
        """See `Rules.all`."""
        (rows,) = await self._rows.run(tenant_id, (rule_rows.ALL, (tenant_id,)))
        return [rule_rows.rule_of(row) for row in rows]

    @writing
    async def add(self, tenant_id: TenantId, make: Callable[[datetime], Rule]) -> Rule:
        """See `Rules.add`."""
        async with self._rows.open(tenant_id) as transaction:
            _, now = await transaction.begin()
            rule = make(now)
            await transaction.commit([rule_rows.insert(rule)])
        return rule

    @writing
    async def change(self, tenant_id: TenantId, rule_id: RuleId, decide: Callable[[Rule], Rule]) -> Rule | None:
        """See `Rules.change`."""
        async with self._rows.open(tenant_id) as transaction:
            (rows,), _ = await transaction.begin((rule_rows.LOCK, (tenant_id, rule_id)))
            if not rows:
                return None
            rule = decide(rule_rows.rule_of(rows[0]))
            await transaction.commit([rule_rows.update(rule)])
        return rule
