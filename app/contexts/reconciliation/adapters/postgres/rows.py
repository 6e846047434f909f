"""Rows of runs and findings."""

from typing import Final

from app.contexts.reconciliation.domain.finding import Finding, Kind, Ours, Theirs
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Row

RUN_COLUMNS: Final = """
    r.id, r.tenant_id, r.date, r.sha256, r.lines, r.matched, r.carried, r.findings, r.unresolved, r.created_at
"""
FINDING_COLUMNS: Final = """
    f.id, f.reconciliation_id, f.kind, f.payment_id, f.refund_id, f.line, f.resolved_at, f.note, f.our_status,
    f.our_amount, f.our_currency, f.our_finalized_at, f.their_charge_id, f.their_amount, f.their_currency,
    f.their_occurred_at
"""


def run_of(row: Row) -> Reconciliation:
    """The run in a row."""
    id_, tenant_id, date, sha256, lines, matched, carried, findings, unresolved, created_at = row
    return Reconciliation(
        id=ReconciliationId(id_),
        tenant_id=TenantId(tenant_id),
        date=date,
        sha256=bytes(sha256),
        lines=lines,
        matched=matched,
        carried=carried,
        findings=findings,
        unresolved=unresolved,
        created_at=created_at,
    )


def finding_of(row: Row) -> Finding:
    """The finding in a row."""
    id_, run_id, kind, payment_id, refund_id, line, resolved_at, note, *both = row
    ours, theirs = both[:4], both[4:]
    return Finding(
        id=FindingId(id_),
        reconciliation_id=ReconciliationId(run_id),
        kind=Kind(kind),
        payment_id=payment_id,
        refund_id=refund_id,
        ours=None if ours[0] is None else Ours(*ours),
        theirs=None if theirs[0] is None else Theirs(*theirs),
        line=line,
        resolved_at=resolved_at,
        note=note,
    )
