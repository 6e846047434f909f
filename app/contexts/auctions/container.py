"""How auctions are wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.auctions.adapters.metrics.watching import WatchMetrics
from app.contexts.auctions.adapters.postgres.live_events import PostgresLiveEvents
from app.contexts.auctions.application.watch import Watch
from app.contexts.auctions.settings import AuctionsSettings
from app.platform.http.event_stream import event
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.settings import Settings
from app.platform.process.wiring import Platform


class AuctionsContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=AuctionsSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    funds = providers.DependenciesContainer()
    catalog = providers.DependenciesContainer()
    ordering = providers.DependenciesContainer()

    batches = platform.batches
    registry = platform.registry

    # Whatever bids and closes: a connection for each lane that is busy, up to four.
    pool = providers.Singleton(lambda database: database.planned_pool("auctions", 4), database)
    rows = providers.Singleton(TenantRows, pool)

    reading_pool = database.provided.reading_pool
    live_events = providers.Singleton(
        PostgresLiveEvents, providers.Singleton(TenantRows, reading_pool), reading_pool
    )
    watch_metrics = providers.Singleton(WatchMetrics, registry)
    watch = providers.Singleton(Watch, live_events, event, watch_metrics.provided.observe)


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> AuctionsContainer:
    """The container."""
    settings: Settings = platform.settings()
    return AuctionsContainer(
        settings=settings.of(AuctionsSettings),
        platform=platform,
        database=database,
        funds=around["funds"],
        catalog=around["catalog"],
        ordering=around["ordering"],
    )
