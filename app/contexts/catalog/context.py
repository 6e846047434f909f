"""What the catalogue brings into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from app.contexts.catalog.adapters.postgres.tables import CATALOG as TABLES
from app.contexts.catalog.public import EVENTS
from app.contexts.catalog.settings import CatalogSettings
from app.kernel.topology import Publication
from app.platform.context import Context, Http, Recovery
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.catalog.container import CatalogContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "CatalogContainer":
    from app.contexts.catalog.container import make

    return make(platform, database, around)


def _operations(container: "CatalogContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.catalog.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "CatalogContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.catalog.processes import serving

    return serving(container)


def _recovery(container: "CatalogContainer", people: "People | None") -> Recovery:
    from app.contexts.catalog.processes import recovery

    return recovery(container, people)


def _checks(_: Settings, database: "Evidence") -> "Checks":
    from app.contexts.catalog.adapters.operations.checks import checks_of_the_catalogue

    return checks_of_the_catalogue(database)


def _pages(container: "CatalogContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.catalog.adapters.console.pages import pages

    return pages(container.look_at_stock())


CATALOG = Context["CatalogContainer"](
    name="catalog",
    settings=CatalogSettings,
    tables=TABLES,
    container=_container,
    operations=_operations,
    publication=Publication("catalog", EVENTS),
    serving=_serving,
    recovery=_recovery,
    checks=_checks,
    commands={
        "products": "app.contexts.catalog.adapters.cli.products",
        "stock": "app.contexts.catalog.adapters.cli.stock",
    },
    pages=_pages,
)
