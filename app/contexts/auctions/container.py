"""How auctions are wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.auctions.adapters.http.bids import HttpBidAnswers
from app.contexts.auctions.adapters.metrics.auctions import CountedSteps
from app.contexts.auctions.adapters.metrics.bids import CountedPlaceBid
from app.contexts.auctions.adapters.metrics.watching import WatchMetrics
from app.contexts.auctions.adapters.postgres.books import PostgresBooks
from app.contexts.auctions.adapters.postgres.calendar import PostgresCalendar
from app.contexts.auctions.adapters.postgres.due import PostgresDue
from app.contexts.auctions.adapters.postgres.listings import PostgresListings
from app.contexts.auctions.adapters.postgres.live_events import PostgresLiveEvents
from app.contexts.auctions.adapters.postgres.openings import PostgresOpenings
from app.contexts.auctions.adapters.postgres.stories import PostgresAuctionStories
from app.contexts.auctions.application.board import TakeSteps
from app.contexts.auctions.application.buy_now import BuyNow
from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.application.close_auction import CloseAuction
from app.contexts.auctions.application.open_auction import GiveUpOpening, OpenAuction
from app.contexts.auctions.application.place_bid import PlaceBid
from app.contexts.auctions.application.read_auctions import ReadAuctions
from app.contexts.auctions.application.tell_auction import TellAuction
from app.contexts.auctions.application.watch import Watch
from app.contexts.auctions.settings import AuctionsSettings
from app.platform.http.event_stream import event
from app.platform.idempotency.purge import ExpiredKeys
from app.platform.idempotency.requests import KEYS
from app.platform.postgres.batching import make_lanes
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.postgres.trail import PostgresTrail
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform
from app.platform.tenants import KnownTenants


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

    # Whatever bids and closes: a connection for each of the two lanes, and one for what opens.
    pool = providers.Singleton(lambda database: database.planned_pool("auctions", 3), database)
    rows = providers.Singleton(TenantRows, pool)
    books = providers.Singleton(PostgresBooks, rows)
    answers = providers.Singleton(HttpBidAnswers)
    steps = providers.Singleton(
        make_lanes,
        providers.Singleton(TakeSteps, books, answers, uuid7),
        lambda step: step.auction_id,
        pool,
        batches.provided.of.call("auctions"),
    )
    clean_up = providers.Singleton(CleanUp, steps.provided.submit, funds.funds)
    place_bid = providers.Singleton(
        CountedPlaceBid, providers.Singleton(PlaceBid, steps.provided.submit, funds.funds), registry
    )

    openings = providers.Singleton(PostgresOpenings, rows, pool, uuid7)
    give_up_opening = providers.Singleton(GiveUpOpening, openings, catalog.stock)
    open_auction = providers.Singleton(
        OpenAuction, openings, catalog.offers, catalog.stock, give_up_opening, settings.provided.house, uuid7
    )
    # Which index serves a list best hangs on what is asked for.
    browsing_pool = providers.Singleton(lambda database: database.planning_pool("browse", 4), database)
    listings = providers.Singleton(PostgresListings, providers.Singleton(TenantRows, browsing_pool), browsing_pool)
    read_auctions = providers.Singleton(ReadAuctions, listings, catalog.shown)
    calendar = providers.Singleton(PostgresCalendar, rows, pool)
    tenants = providers.Factory(KnownTenants, platform.people)
    tell_auction = providers.Factory(
        TellAuction,
        providers.Singleton(PostgresAuctionStories, database.provided.url),
        catalog.stock_stories,
        funds.stories,
        providers.Singleton(PostgresTrail, platform.settings.provided.consumers_url),
        platform.settings.provided.recover_after_s,
    )
    # Told besides who makes orders of what was sold.
    close_auction = providers.Factory(
        CloseAuction,
        providers.Singleton(CountedSteps, steps.provided.submit, registry),
        clean_up,
        calendar,
        catalog.stock,
        funds.funds,
    )
    # Told besides how auctions are closed.
    buy_now = providers.Factory(BuyNow, steps.provided.submit, funds.funds)

    upkeep_rows = providers.Singleton(TenantRows, database.provided.upkeep_pool)
    due = providers.Singleton(PostgresDue, upkeep_rows, database.provided.upkeep_pool)
    due_auctions = providers.Singleton(PostgresCalendar, upkeep_rows, database.provided.upkeep_pool)
    expired_keys = providers.Singleton(
        ExpiredKeys, database.provided.upkeep_pool, KEYS, platform.settings.provided.idempotency_ttl_h
    )

    reading_pool = database.provided.reading_pool
    live_events = providers.Singleton(PostgresLiveEvents, providers.Singleton(TenantRows, reading_pool), reading_pool)
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
