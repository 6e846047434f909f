"""What reconciliation brings into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from app.contexts.reconciliation.adapters.postgres.tables import RECONCILIATION as TABLES
from app.kernel.business import BUSINESS_EVENTS
from app.kernel.topology import Publication
from app.platform.context import Context, Http
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.reconciliation.container import ReconciliationContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "ReconciliationContainer":
    from app.contexts.reconciliation.container import make

    return make(platform, database, around)


def _operations(container: "ReconciliationContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.reconciliation.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "ReconciliationContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.reconciliation.processes import serving

    return serving(container)


def _pages(container: "ReconciliationContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.reconciliation.adapters.console.pages import pages

    return pages(container.runs(), container.read_runs(), container.resolve_finding(), container.tenants())


def _checks(_: Settings, database: "Evidence") -> "Checks":
    from app.contexts.reconciliation.adapters.operations.checks import checks_of_reconciliation

    return checks_of_reconciliation(database)


RECONCILIATION = Context["ReconciliationContainer"](
    name="reconciliation",
    needs=("payments",),
    # What it compares with are rows of payments: one statement sees both at one moment.
    shares_database=True,
    tables=TABLES,
    container=_container,
    operations=_operations,
    publication=Publication("reconciliation", BUSINESS_EVENTS),
    serving=_serving,
    pages=_pages,
    commands={"reconcile": "app.contexts.reconciliation.adapters.cli.reconcile"},
    checks=_checks,
)
