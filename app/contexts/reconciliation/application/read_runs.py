"""Runs and their findings, as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.reconciliation.application.ports import Place, Runs
from app.contexts.reconciliation.domain.finding import Finding, Kind
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.contexts.reconciliation.domain.refusals import ReconciliationNotFound
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first, and where the next page begins, if there is one."""

    runs: Sequence[Reconciliation]
    next: Place | None


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Some findings of a run, and behind which the next page begins, if there is one."""

    run: Reconciliation
    findings: Sequence[Finding]
    next: FindingId | None


@dataclass(frozen=True, slots=True)
class ReadRuns:
    """Reads a tenant's. All raise `Unavailable` while the database is out of reach."""

    runs: Runs

    async def page(self, tenant_id: TenantId, before: Place | None, limit: int) -> RunPage:
        """A page of runs."""
        found = await self.runs.page(tenant_id, before, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return RunPage(found[:limit], None if last is None else Place(last.created_at, last.id))

    async def one(self, tenant_id: TenantId, run_id: ReconciliationId) -> Reconciliation:
        """A run.

        Raises:
            ReconciliationNotFound: there is none.
        """
        run = await self.runs.one(tenant_id, run_id)
        if run is None:
            raise ReconciliationNotFound
        return run

    async def findings(
        self, tenant_id: TenantId, run_id: ReconciliationId, kind: Kind | None, after: FindingId | None, limit: int
    ) -> FindingPage:
        """A page of a run's findings: of the kind, or of all.

        Raises:
            ReconciliationNotFound: there is no such run.
        """
        run = await self.one(tenant_id, run_id)
        found = await self.runs.findings(tenant_id, run_id, kind, after, limit + 1)
        return FindingPage(run, found[:limit], found[limit - 1].id if len(found) > limit else None)
