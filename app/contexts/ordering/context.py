"""What ordering brings into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from app.contexts.catalog.public import EVENTS
from app.contexts.ordering.adapters.postgres.tables import ORDERING as TABLES
from app.contexts.ordering.settings import OrderingSettings
from app.kernel.topology import Publication
from app.platform.context import Context, Http, Recovery
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.ordering.container import OrderingContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "OrderingContainer":
    from app.contexts.ordering.container import make

    return make(platform, database, around)


def _operations(container: "OrderingContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.ordering.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "OrderingContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.ordering.processes import serving

    return serving(container)


def _recovery(container: "OrderingContainer", people: "People | None") -> Recovery:
    from app.contexts.ordering.processes import recovery

    return recovery(container, people)


def _pages(container: "OrderingContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.ordering.adapters.console.pages import pages

    return pages(container.orders(), container.tenants(), container.tell_order())


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.ordering.adapters.operations.checks import checks_of_ordering

    return checks_of_ordering(database, settings.recover_after_s)


ORDERING = Context["OrderingContainer"](
    name="ordering",
    needs=("funds", "catalog"),
    settings=OrderingSettings,
    tables=TABLES,
    container=_container,
    operations=_operations,
    pages=_pages,
    commands={
        "order": "app.contexts.ordering.adapters.cli.orders",
        "orders": "app.contexts.ordering.adapters.cli.orders",
    },
    publication=Publication("ordering", EVENTS),
    serving=_serving,
    recovery=_recovery,
    checks=_checks,
)
