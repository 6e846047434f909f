"""How the catalogue is wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.catalog.adapters.cache.pages import Pages
from app.contexts.catalog.adapters.cache.shown import Shown
from app.contexts.catalog.adapters.postgres.categories import PostgresCategories
from app.contexts.catalog.adapters.postgres.listings import PostgresListings
from app.contexts.catalog.adapters.postgres.product_reader import PostgresProductReader
from app.contexts.catalog.adapters.postgres.products import PostgresProducts
from app.contexts.catalog.adapters.postgres.recommendations import PostgresRecommendations
from app.contexts.catalog.adapters.postgres.stock import PostgresOffers, PostgresStockRoom
from app.contexts.catalog.adapters.postgres.stock_records import PostgresStockRecords
from app.contexts.catalog.adapters.postgres.stock_stories import PostgresStockStories
from app.contexts.catalog.adapters.postgres.tables import SCHEMA
from app.contexts.catalog.adapters.postgres.unsettled import PostgresUnsettledStock
from app.contexts.catalog.adapters.postgres.views import PostgresViews
from app.contexts.catalog.adapters.postgres.words import PostgresWords
from app.contexts.catalog.application.change_categories import ChangeCategories
from app.contexts.catalog.application.change_products import ChangeProducts
from app.contexts.catalog.application.count_views import CountViews
from app.contexts.catalog.application.desk import Desk
from app.contexts.catalog.application.forbid import Forbid
from app.contexts.catalog.application.look_at_stock import LookAtStock
from app.contexts.catalog.application.move_stock import MoveStock, row_of
from app.contexts.catalog.application.read_offers import AskOffers, ReadOffers
from app.contexts.catalog.application.reindex import Reindex
from app.contexts.catalog.settings import CatalogSettings
from app.platform.cache.deletions import Forgetter
from app.platform.postgres.batching import make_lanes
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform
from app.platform.tenants import KnownTenants


class CatalogContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=CatalogSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    batches = platform.batches

    pool = providers.Singleton(lambda database: database.planned_pool("catalog", 4), database)
    rows = providers.Singleton(TenantRows, pool)
    forgetter = providers.Singleton(Forgetter, platform.cache, rows, SCHEMA)

    # Whatever moves the stock: a connection for each lane that is busy, up to four. Who reads holds none of them up.
    stock_pool = providers.Singleton(lambda database: database.planned_pool("stock", 4), database)
    stock_room = providers.Singleton(PostgresStockRoom, providers.Singleton(TenantRows, stock_pool), forgetter)
    move_stock = providers.Singleton(
        make_lanes,
        providers.Singleton(MoveStock, stock_room),
        row_of,
        stock_pool,
        batches.provided.of.call("move_stock"),
    )
    forbid = providers.Singleton(
        make_lanes,
        providers.Singleton(Forbid, stock_room),
        lambda prohibition: prohibition.operation.business_id,
        stock_pool,
        batches.provided.of.call("forbid_stock"),
    )
    stock = providers.Singleton(Desk, move_stock.provided.submit, forbid.provided.submit)
    read_offers = providers.Singleton(
        make_lanes,
        providers.Singleton(ReadOffers, providers.Singleton(PostgresOffers, rows)),
        lambda asked: asked.tenant_id,
        pool,
        batches.provided.of.call("read_offers"),
    )
    offers = providers.Singleton(AskOffers, read_offers.provided.submit)
    stock_stories = providers.Singleton(PostgresStockStories, database.provided.url)

    # the shelf
    products = providers.Singleton(
        PostgresProducts, rows, pool, forgetter, providers.Object(uuid7), settings.provided.search_language
    )
    categories = providers.Singleton(PostgresCategories, rows, pool, forgetter)
    known_tenants = providers.Singleton(KnownTenants, platform.people)
    reindex = providers.Singleton(
        Reindex,
        providers.Singleton(PostgresWords, rows, pool, forgetter, settings.provided.search_language),
        known_tenants,
    )
    change_products = providers.Singleton(
        ChangeProducts, products, providers.Object(uuid7), platform.settings.provided.currencies
    )
    change_categories = providers.Singleton(ChangeCategories, categories)
    shown = providers.Singleton(
        Shown, platform.cache, providers.Singleton(PostgresProductReader, rows, pool), categories
    )
    # Which index serves a list best hangs on what is asked for.
    browsing_pool = providers.Singleton(lambda database: database.planning_pool("browse", 4), database)
    browsing_rows = providers.Singleton(TenantRows, browsing_pool)
    pages = providers.Singleton(
        Pages,
        platform.cache,
        shown,
        providers.Singleton(PostgresListings, browsing_rows, browsing_pool, settings.provided.search_language),
        providers.Singleton(PostgresRecommendations, browsing_rows, browsing_pool),
    )
    # Nobody waits for views to be written.
    views = providers.Singleton(
        CountViews,
        providers.Singleton(
            PostgresViews, providers.Factory(TenantRows, database.provided.upkeep_pool), database.provided.upkeep_pool
        ),
    )

    registry = platform.registry
    unsettled = providers.Singleton(PostgresUnsettledStock, rows, pool)
    look_at_stock = providers.Singleton(
        LookAtStock,
        providers.Singleton(PostgresStockRecords, database.provided.url),
        known_tenants,
    )


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> CatalogContainer:
    """The container."""
    settings: Settings = platform.settings()
    return CatalogContainer(
        settings=settings.of(CatalogSettings),
        platform=platform,
        database=database,
    )
