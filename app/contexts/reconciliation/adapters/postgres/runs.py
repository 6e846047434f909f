"""Runs and findings in PostgreSQL, as they are read and resolved."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from app.contexts.reconciliation.adapters.postgres.rows import FINDING_COLUMNS, RUN_COLUMNS, finding_of, run_of
from app.contexts.reconciliation.application.ports import Place
from app.contexts.reconciliation.domain.finding import Finding, Kind
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

NEWEST: Final = Statement(f"""
    SELECT {RUN_COLUMNS} FROM reconciliation.runs r
    WHERE r.tenant_id = %b::uuid AND (r.created_at, r.id) < (%b::timestamptz, %b::uuid)
    ORDER BY r.created_at DESC, r.id DESC LIMIT %b::bigint
""")
DAYS: Final = Statement(f"""
    SELECT DISTINCT ON (r.date) {RUN_COLUMNS.replace("r.unresolved", "sum(r.unresolved) OVER (PARTITION BY r.date)")}
    FROM reconciliation.runs r
    WHERE r.bucket = %b::smallint AND r.tenant_id = %b::uuid AND r.date >= %b::text::date AND r.date < %b::text::date
    ORDER BY r.date, r.unresolved > 0 DESC, r.created_at DESC
""")
ONE: Final = Statement(f"""
    SELECT {RUN_COLUMNS} FROM reconciliation.runs r
    WHERE r.bucket = %b::smallint AND r.tenant_id = %b::uuid AND r.id = %b::uuid
""")
_OF_A_RUN: Final = "f.bucket = %b::smallint AND f.tenant_id = %b::uuid AND f.reconciliation_id = %b::uuid"
FINDINGS: Final = Statement(f"""
    SELECT {FINDING_COLUMNS} FROM reconciliation.findings f
    WHERE {_OF_A_RUN} AND (f.kind, f.number) > (%b::text, %b::bigint)
    ORDER BY f.kind, f.number LIMIT %b::bigint
""")
OF_A_KIND: Final = Statement(f"""
    SELECT {FINDING_COLUMNS} FROM reconciliation.findings f
    WHERE {_OF_A_RUN} AND f.kind = %b::text AND f.number > %b::bigint
    ORDER BY f.number LIMIT %b::bigint
""")
_ONE_FINDING: Final = "f.bucket = %b::smallint AND f.tenant_id = %b::uuid AND f.id = %b::uuid"
PLACE: Final = Statement(f"SELECT f.kind, f.number FROM reconciliation.findings f WHERE {_ONE_FINDING}")
FINDING: Final = Statement(f"SELECT {FINDING_COLUMNS} FROM reconciliation.findings f WHERE {_ONE_FINDING}")
LOCK: Final = Statement(f"""
    SELECT {FINDING_COLUMNS} FROM reconciliation.findings f WHERE {_ONE_FINDING} FOR NO KEY UPDATE OF f
""")
RESOLVE: Final = Statement(f"""
    UPDATE reconciliation.findings f SET note = %b::text, resolved_at = %b::timestamptz WHERE {_ONE_FINDING}
""")
ONE_LESS: Final = Statement("""
    UPDATE reconciliation.runs r SET unresolved = r.unresolved - 1
    WHERE r.bucket = %b::smallint AND r.tenant_id = %b::uuid AND r.id = %b::uuid
""")

BEFORE_ALL: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), ReconciliationId(UUID(int=2**128 - 1)))
"""No run is newer."""


class PostgresRuns:
    """Implements `Runs` and `Resolutions`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def page(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Reconciliation]:
        """See `Runs.page`."""
        (rows,) = await self._rows.run(tenant_id, (NEWEST, (tenant_id, *(before or BEFORE_ALL), limit)))
        return [run_of(row) for row in rows]

    @reading
    async def days(self, tenant_id: TenantId, begins: date, ends: date) -> Sequence[Reconciliation]:
        """See `Runs.days`."""
        between = (bucket_of(tenant_id), tenant_id, begins.isoformat(), ends.isoformat())
        (rows,) = await self._rows.run(tenant_id, (DAYS, between))
        return [run_of(row) for row in rows]

    @reading
    async def one(self, tenant_id: TenantId, run_id: ReconciliationId) -> Reconciliation | None:
        """See `Runs.one`."""
        (rows,) = await self._rows.run(tenant_id, (ONE, (bucket_of(tenant_id), tenant_id, run_id)))
        return run_of(rows[0]) if rows else None

    @reading
    async def findings(
        self, tenant_id: TenantId, run_id: ReconciliationId, kind: Kind | None, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """See `Runs.findings`."""
        bucket = bucket_of(tenant_id)
        place = ("", 0)
        if after is not None:
            (found,) = await self._rows.run(tenant_id, (PLACE, (bucket, tenant_id, after)))
            place = found[0] if found else place
        behind = place if kind is None else (kind.value, place[1])
        page = (bucket, tenant_id, run_id, *behind, limit)
        (rows,) = await self._rows.run(tenant_id, (FINDINGS if kind is None else OF_A_KIND, page))
        return [finding_of(row) for row in rows]

    @reading
    async def finding(self, tenant_id: TenantId, finding_id: FindingId) -> Finding | None:
        """See `Resolutions.finding`."""
        (rows,) = await self._rows.run(tenant_id, (FINDING, (bucket_of(tenant_id), tenant_id, finding_id)))
        return finding_of(rows[0]) if rows else None

    @writing
    async def resolve(self, tenant_id: TenantId, finding_id: FindingId, note: str) -> Finding | None:
        """See `Resolutions.resolve`."""
        bucket = bucket_of(tenant_id)
        async with self._rows.open(tenant_id) as transaction:
            (rows,), now = await transaction.begin((LOCK, (bucket, tenant_id, finding_id)))
            if not rows:
                return None
            found = finding_of(rows[0])
            resolved = replace(found, note=note, resolved_at=found.resolved_at or now)
            changes: list[Call] = [(RESOLVE, (note, resolved.resolved_at, bucket, tenant_id, finding_id))]
            if found.resolved_at is None:
                changes.append((ONE_LESS, (bucket, tenant_id, found.reconciliation_id)))
            await transaction.commit(changes)
        return resolved
