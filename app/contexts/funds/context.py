"""What funds bring into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from app.contexts.funds.adapters.postgres.tables import FUNDS as TABLES
from app.contexts.funds.public import EVENTS
from app.kernel.topology import Publication
from app.platform.context import Context, Http, Recovery
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.funds.container import FundsContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.operations.health import Part
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform

PAGE_S = 5.0
"""What a page may cost the database: no command of an operator's who waits before a terminal."""


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "FundsContainer":
    from app.contexts.funds.container import make

    return make(platform, database, around)


def _operations(container: "FundsContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.funds.adapters.http.bulks import Bulks
    from app.contexts.funds.adapters.http.operations import operations
    from app.contexts.funds.adapters.http.own_wallet import own_operations
    from app.contexts.funds.adapters.http.past import Past
    from app.contexts.funds.adapters.http.transfers import Transfers
    from app.platform.process.uuid7 import uuid7

    how = http.in_flight, http.currencies, http.timeout_s
    offered = operations(container.reader(), *how)
    if http.people is None:
        return offered
    directory = http.people.directory
    transfers = Transfers(
        container.send().submit,
        container.receive().submit,
        container.request_keys().answer_of,
        container.reader(),
        directory,
        uuid7,
        *how,
    )
    own = own_operations(container.reader(), container.hold_reader(), directory, *how)
    bulks = Bulks(
        container.send_bulk().submit, container.request_keys().answer_of, container.reader(), directory, uuid7, *how
    )
    past = Past(container.look_back().submit, container.statements(), directory, *how)
    return [*offered, *own, *past.operations(), *transfers.operations(), *bulks.operations()]


def _serving(container: "FundsContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.funds.processes import serving

    return serving(container)


def _recovery(container: "FundsContainer", _: "People | None") -> Recovery:
    from app.contexts.funds.processes import recovery

    return recovery(container)


def _pages(container: "FundsContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.funds.adapters.cache.summaries import KeptStandings
    from app.contexts.funds.adapters.console.pages import pages
    from app.platform.tenants import KnownTenants

    tenants = KnownTenants(container.platform.people())
    return pages(
        container.reader(),
        container.hold_reader(),
        KeptStandings(container.standings(PAGE_S), container.platform.cache(), tenants.of_user),
        container.stories(),
        container.look_back().submit,
        container.statements(),
    )


def _checks(_: Settings, database: "Evidence") -> "Checks":
    from app.contexts.funds.adapters.operations.checks import checks_of_funds

    return checks_of_funds(database)


def _parts(_: Settings, url: str) -> "Sequence[Part]":
    from app.contexts.funds.adapters.operations.parts import parts_of_funds

    return parts_of_funds(url)


FUNDS = Context["FundsContainer"](
    name="funds",
    shares_database=True,
    tables=TABLES,
    container=_container,
    operations=_operations,
    publication=Publication("funds", EVENTS),
    serving=_serving,
    recovery=_recovery,
    commands={
        "wallet": "app.contexts.funds.adapters.cli.wallet",
        "wallets": "app.contexts.funds.adapters.cli.wallet",
        "export": "app.contexts.funds.adapters.cli.export",
    },
    pages=_pages,
    checks=_checks,
    parts=_parts,
)
