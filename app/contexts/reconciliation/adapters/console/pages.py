"""What reconciliation brings to the console: the days of a month, and what was found on them."""

from collections.abc import Sequence
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from app.contexts.reconciliation.adapters.console.days import days
from app.contexts.reconciliation.adapters.console.findings import findings
from app.contexts.reconciliation.application.ports import Runs
from app.contexts.reconciliation.application.read_runs import ReadRuns
from app.contexts.reconciliation.application.resolve_finding import ResolveFinding
from app.contexts.reconciliation.domain.refusals import FindingNotFound, ReconciliationNotFound
from app.platform.console.desk import Desk
from app.platform.console.page import Page
from app.platform.tenants import KnownTenants, TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")
_NOT_FOUND = (FindingNotFound, ReconciliationNotFound, TenantUnknown)


def pages(runs: Runs, read: ReadRuns, resolve: ResolveFinding, tenants: KnownTenants) -> Sequence[Page]:
    """The pages."""

    def handlers(desk: Desk) -> Sequence[HTTPRouteHandler]:
        return [*days(runs, tenants, desk), *findings(read, resolve, tenants, desk)]

    return (Page(handlers, "/reconciliation", "Reconciliation", 12, TEMPLATES, _NOT_FOUND),)
