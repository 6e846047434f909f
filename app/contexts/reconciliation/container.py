"""How reconciliation is wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.reconciliation.adapters.gateway.reports import HttpReports
from app.contexts.reconciliation.adapters.postgres.books import PostgresBooks
from app.contexts.reconciliation.adapters.postgres.figures import PostgresFigures
from app.contexts.reconciliation.adapters.postgres.runs import PostgresRuns
from app.contexts.reconciliation.application.read_runs import ReadRuns
from app.contexts.reconciliation.application.reconcile import Reconcile
from app.contexts.reconciliation.application.resolve_finding import ResolveFinding
from app.platform.postgres.actions import PostgresActions
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform
from app.platform.tenants import KnownTenants, TenantOfKeys


class ReconciliationContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    gateway_url = providers.Dependency(instance_of=str)
    registry = platform.registry

    tenants = providers.Factory(KnownTenants, platform.people)
    tenant_of_keys = providers.Singleton(TenantOfKeys, platform.people)

    # Comparing takes its time: two at once, and reading waits behind neither.
    comparing_pool = providers.Singleton(lambda database: database.planning_pool("reconcile", 2), database)
    reconcile = providers.Factory(
        Reconcile,
        providers.Singleton(PostgresBooks, comparing_pool),
        providers.Singleton(HttpReports, gateway_url),
        tenant_of_keys,
        uuid7,
    )

    pool = providers.Singleton(lambda database: database.planned_pool("reconciliation", 2), database)
    runs = providers.Singleton(PostgresRuns, providers.Singleton(TenantRows, pool), pool)
    read_runs = providers.Singleton(ReadRuns, runs)
    resolve_finding = providers.Singleton(ResolveFinding, runs)
    record_of = providers.Factory(PostgresActions, platform.settings.provided.consumers_url)

    figures = providers.Singleton(
        PostgresFigures, providers.Singleton(TenantRows, database.provided.upkeep_pool), database.provided.upkeep_pool
    )


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> ReconciliationContainer:
    """The container."""
    settings: Settings = platform.settings()
    return ReconciliationContainer(platform=platform, database=database, gateway_url=settings.text("GATEWAY_URL"))
