"""What identity brings into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.contexts.identity.adapters.postgres.tables import IDENTITY as TABLES
from app.contexts.identity.public import EVENTS
from app.contexts.identity.settings import IdentitySettings
from app.kernel.topology import Publication
from app.platform.context import Context, Http
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.identity.container import IdentityContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.operations.health import Part
    from app.platform.people import People
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "IdentityContainer":
    from app.contexts.identity.container import make

    return make(platform, database, around)


def _operations(container: "IdentityContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.identity.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _people(container: "IdentityContainer") -> "People":
    from app.contexts.identity.adapters.http.signed_in import SignedIn
    from app.platform.people import People

    cookie = SignedIn(container.settings().cookie_secure).session_cookie
    return People(container.authenticator(), container.directory(), cookie)


def _pages(container: "IdentityContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.identity.adapters.console.pages import pages
    from app.contexts.identity.adapters.console.people import Lists

    operated = container.operated()
    return pages(Lists(container.users(), operated), container.look_up(), container.operate_on_people(), operated)


def _checks(_: Settings, database: "Evidence") -> "Checks":
    from app.contexts.identity.adapters.operations.checks import checks_of_identity

    return checks_of_identity(database)


def _parts(settings: Settings, _: str) -> "Sequence[Part]":
    from app.contexts.identity.adapters.operations.parts import parts_of_identity

    return parts_of_identity(settings.of(IdentitySettings).jwt_keys)


def _serving(container: "IdentityContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.identity.processes import serving

    return serving(container)


def _fit(settings: Settings) -> None:
    from app.contexts.identity.adapters.jwt.key_set import KeyRing, check_keys

    check_keys(KeyRing(Path(settings.of(IdentitySettings).jwt_keys)))


def _local(settings: Settings, folder: Path) -> Mapping[str, str]:
    from app.contexts.identity.adapters.jwt.local import keys_of_a_run
    from app.contexts.identity.wallet_settings import domains_of_a_run

    return {**keys_of_a_run(settings, folder), "SIWE_DOMAINS": domains_of_a_run(settings)}


IDENTITY = Context["IdentityContainer"](
    name="identity",
    settings=IdentitySettings,
    tables=TABLES,
    container=_container,
    people=_people,
    operations=_operations,
    publication=Publication("identity", EVENTS),
    required=("jwt_keys",),
    to_show_all={"SIWE_DOMAINS": "example.com"},
    fit=_fit,
    local=_local,
    serving=_serving,
    commands={
        "client": "app.contexts.identity.adapters.cli.client",
        "clients": "app.contexts.identity.adapters.cli.client",
        "keys": "app.contexts.identity.adapters.cli.keys",
        "user": "app.contexts.identity.adapters.cli.user",
        "users": "app.contexts.identity.adapters.cli.user",
        "tenant": "app.contexts.identity.adapters.cli.tenant",
        "tenants": "app.contexts.identity.adapters.cli.tenant",
    },
    pages=_pages,
    checks=_checks,
    parts=_parts,
)
