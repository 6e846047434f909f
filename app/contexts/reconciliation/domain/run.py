"""A run: one report of one day, compared with the books once."""

from dataclasses import dataclass
from datetime import date, datetime

from app.contexts.reconciliation.domain.ids import ReconciliationId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A run, and what came of it. The same bytes of the same day are compared once a tenant.

    `lines` are those of the report that are not another tenant's; of them `matched` are as the books have them.
    `carried` counts what is left to the next day's run: lines and payments that may still come right. `findings` counts
    what does not fit, what days before have carried over included; `unresolved` those of it that nobody has explained.
    """

    id: ReconciliationId
    tenant_id: TenantId
    date: date
    sha256: bytes
    lines: int
    matched: int
    carried: int
    findings: int
    unresolved: int
    created_at: datetime
