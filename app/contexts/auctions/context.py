"""What auctions bring into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from app.contexts.auctions.adapters.postgres.tables import AUCTIONS as TABLES
from app.contexts.auctions.settings import AuctionsSettings
from app.contexts.catalog.public import EVENTS
from app.kernel.topology import Publication
from app.platform.context import Context, Http, Recovery
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.auctions.container import AuctionsContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "AuctionsContainer":
    from app.contexts.auctions.container import make

    return make(platform, database, around)


def _operations(container: "AuctionsContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.auctions.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "AuctionsContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.auctions.processes import serving

    return serving(container)


def _recovery(container: "AuctionsContainer", people: "People | None") -> Recovery:
    from app.contexts.auctions.processes import recovery

    return recovery(container, people)


def _pages(container: "AuctionsContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.auctions.adapters.console.pages import pages

    return pages(container.listings(), container.tenants(), container.tell_auction())


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.auctions.adapters.operations.checks import checks_of_auctions

    return checks_of_auctions(database, settings.recover_after_s)


AUCTIONS = Context["AuctionsContainer"](
    name="auctions",
    needs=("funds", "catalog", "ordering"),
    settings=AuctionsSettings,
    tables=TABLES,
    container=_container,
    operations=_operations,
    pages=_pages,
    commands={
        "auction": "app.contexts.auctions.adapters.cli.auctions",
        "auctions": "app.contexts.auctions.adapters.cli.auctions",
    },
    publication=Publication("auctions", EVENTS),
    serving=_serving,
    recovery=_recovery,
    checks=_checks,
)
