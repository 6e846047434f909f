"""What operators do with reconciliations from the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contexts.reconciliation.adapters.gateway.reports import pieces_of
from app.contexts.reconciliation.application.reconcile import ChooseDay
from app.contexts.reconciliation.container import ReconciliationContainer
from app.contexts.reconciliation.domain.finding import Finding
from app.contexts.reconciliation.domain.report import Report
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.principal import TenantId
from app.platform.postgres.operator import with_pools
from app.platform.process.commands import Rooms

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """A run, and the first of its findings."""

    run: Reconciliation
    findings: Sequence[Finding]


async def reconcile(rooms: Rooms, tenant: str, choose: ChooseDay | None, file: Path | None) -> Compared:
    """Compare a report with the books of the tenant of that name: that in the file, or the gateway's own.

    Raises:
        TenantUnknown: there is no such tenant.
        NotAReport: it is none, or of a day that is still to come.
        OSError: the file cannot be read.
        Unavailable: the books, the tenants or the gateway are out of reach.
        MigrationError: the schema is behind.
    """
    container: ReconciliationContainer = rooms.container("reconciliation")
    comparing, read, tenants = container.reconcile(), container.read_runs(), container.tenants()

    async def compared() -> Compared:
        tenant_id = (await tenants.called(tenant)).tenant_id
        run = await _run(tenant_id)
        page = await read.findings(tenant_id, run.id, None, None, SHOWN)
        return Compared(run, page.findings)

    async def _run(tenant_id: TenantId) -> Reconciliation:
        if file is None:
            assert choose is not None, "without a file it is said which day it is"
            return await comparing.asked(tenant_id, choose)
        with file.open("rb") as report:
            return await comparing.given(tenant_id, choose, Report(pieces_of(report)))

    return await with_pools(rooms.pools, container.database().url, compared)
