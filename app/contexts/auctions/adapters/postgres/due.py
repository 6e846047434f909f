"""What is half done of bids, as recovery finds it."""

from collections.abc import Sequence
from typing import Final

from app.contexts.auctions.adapters.postgres.intent_rows import INTENT_COLUMNS, RETURN_COLUMNS, intent_of, return_of
from app.contexts.auctions.application.recover import Backlog, Due, Terms
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

# Ages and leases go by the database's clock alone. A lease that ends later than one would that began now is over: the
# clock has gone back. SKIP LOCKED: workers side by side take different ones.
_TAKE: Final = """
    UPDATE auctions.{table} {alias} SET recover_after = clock_timestamp() + make_interval(secs => %b::float8)
    FROM (
        SELECT bucket, auction_id, {id} FROM auctions.{table}
        WHERE tenant_id = %b::uuid AND created_at <= now() - make_interval(secs => %b::float8) {and_besides}
            AND (recover_after IS NULL OR recover_after <= now()
                OR recover_after > clock_timestamp() + make_interval(secs => %b::float8))
        ORDER BY created_at
        LIMIT %b::bigint
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE {alias}.bucket = due.bucket AND {alias}.auction_id = due.auction_id AND {alias}.{id} = due.{id}
    RETURNING {columns}
"""
# What is being undone is nobody's request any more: it need not be as old.
_UNDOING_OR_OLDER: Final = "AND (status = 'undoing' OR created_at <= now() - make_interval(secs => %b::float8))"
TAKE_INTENTS: Final = Statement(
    _TAKE.format(table="intents", alias="i", id="id", columns=INTENT_COLUMNS, and_besides=_UNDOING_OR_OLDER)
)
TAKE_RETURNS: Final = Statement(
    _TAKE.format(table="returns", alias="b", id="hold_id", columns=RETURN_COLUMNS, and_besides="")
)
# Of the indexes of what is open alone: as many rows as are.
_OF: Final = """
    (SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
     FROM auctions.{table} WHERE tenant_id = %b::uuid) {table}
"""
BACKLOG: Final = Statement(
    f"SELECT intents.*, returns.* FROM {_OF.format(table='intents')}, {_OF.format(table='returns')}"
)


class PostgresDue:
    """Leases what is due to recovery workers. It implements `DueBids`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def take(self, tenant_id: TenantId, terms: Terms) -> Due:
        """See `DueBids.take`."""
        longest_s = max(terms.lease_s, terms.older_than_s, terms.returns_older_than_s)
        first = terms.lease_s, tenant_id, terms.returns_older_than_s
        last = longest_s, terms.limit
        intents, returns = await self._rows.run(
            tenant_id,
            (TAKE_INTENTS, (*first, terms.older_than_s, *last)),
            (TAKE_RETURNS, (*first, *last)),
        )
        return Due(list(map(intent_of, intents)), list(map(return_of, returns)))

    @reading
    async def backlog(self, tenants: Sequence[TenantId]) -> Backlog:
        """See `DueBids.backlog`."""
        found = [row for tenant in tenants for row in (await self._rows.run(tenant, (BACKLOG, (tenant, tenant))))[0]]
        counts, ages, backs, back_ages = zip(*found, strict=True) if found else ((), (), (), ())
        return Backlog(sum(counts), max(ages, default=0.0), sum(backs), max(back_ages, default=0.0))
