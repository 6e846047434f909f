"""How ordering is wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.ordering.adapters.http.checkout import HttpCheckoutAnswers
from app.contexts.ordering.adapters.http.views import order_json
from app.contexts.ordering.adapters.metrics.checkouts import CheckoutMetrics, CountedBegin, CountedConclude
from app.contexts.ordering.adapters.postgres.books import PostgresBooks
from app.contexts.ordering.adapters.postgres.carts import PostgresCarts
from app.contexts.ordering.adapters.postgres.due import PostgresDue
from app.contexts.ordering.adapters.postgres.orders import PostgresOrders
from app.contexts.ordering.adapters.postgres.sales import PostgresSales
from app.contexts.ordering.adapters.postgres.stories import PostgresOrderStories
from app.contexts.ordering.application.begin import Begin
from app.contexts.ordering.application.change_carts import ChangeCarts, ChangedTogether
from app.contexts.ordering.application.change_item import ChangeItem
from app.contexts.ordering.application.check_out import CheckOut
from app.contexts.ordering.application.close_order import CloseOrder
from app.contexts.ordering.application.closing_steps import TakeSteps
from app.contexts.ordering.application.conclude import Conclude
from app.contexts.ordering.application.end_checkout import EndCheckout
from app.contexts.ordering.application.place import Place
from app.contexts.ordering.application.put_into_cart import PutIntoCart
from app.contexts.ordering.application.read_cart import Prices, ReadCart
from app.contexts.ordering.application.read_orders import ReadOrders
from app.contexts.ordering.application.remove_item import RemoveItem
from app.contexts.ordering.application.sell import Sell
from app.contexts.ordering.application.tell_order import TellOrder
from app.contexts.ordering.settings import OrderingSettings
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


class OrderingContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=OrderingSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    funds = providers.DependenciesContainer()
    catalog = providers.DependenciesContainer()

    batches = platform.batches
    registry = platform.registry

    pool = providers.Singleton(lambda database: database.planned_pool("ordering", 4), database)
    rows = providers.Singleton(TenantRows, pool)

    carts_books = providers.Singleton(PostgresCarts, rows, pool, uuid7)
    change_carts = providers.Singleton(
        make_lanes,
        providers.Singleton(ChangeCarts, carts_books),
        lambda change: change.owner,
        pool,
        batches.provided.of.call("change_carts"),
    )
    carts = providers.Singleton(ChangedTogether, carts_books, change_carts.provided.submit)
    prices = providers.Singleton(Prices, catalog.offers)
    read_cart = providers.Singleton(ReadCart, carts, prices)
    put_into_cart = providers.Singleton(PutIntoCart, carts, catalog.offers, prices, uuid7)
    change_item = providers.Singleton(ChangeItem, carts, prices)
    remove_item = providers.Singleton(RemoveItem, carts, prices)

    orders = providers.Singleton(PostgresOrders, rows, pool)
    read_orders = providers.Singleton(ReadOrders, orders)

    tenants = providers.Factory(KnownTenants, platform.people)
    tell_order = providers.Factory(
        TellOrder,
        providers.Singleton(PostgresOrderStories, database.provided.url),
        catalog.stock_stories,
        funds.stories,
        providers.Singleton(PostgresTrail, platform.settings.provided.consumers_url),
        platform.settings.provided.recover_after_s,
        settings.provided.order_ship_d,
        settings.provided.order_complete_d,
    )

    # Whatever checks out and closes: a connection for each lane that is busy, up to four.
    books_pool = providers.Singleton(lambda database: database.planned_pool("checkout", 4), database)
    books_rows = providers.Singleton(TenantRows, books_pool)
    books = providers.Singleton(PostgresBooks, books_rows)
    answers = providers.Singleton(HttpCheckoutAnswers)
    checkout_metrics = providers.Singleton(CheckoutMetrics, registry)
    begin = providers.Singleton(
        make_lanes,
        providers.Singleton(
            CountedBegin,
            providers.Singleton(Begin, books, answers, platform.settings.provided.recover_after_s),
            checkout_metrics,
        ),
        lambda request: request.buyer_id,
        books_pool,
        batches.provided.of.call("begin_checkout"),
    )
    place = providers.Singleton(
        make_lanes,
        providers.Singleton(Place, books, uuid7),
        lambda placing: placing.checkout.buyer_id,
        books_pool,
        batches.provided.of.call("place_orders"),
    )
    conclude = providers.Singleton(
        make_lanes,
        providers.Singleton(
            CountedConclude,
            providers.Singleton(Conclude, books, answers, uuid7, settings.provided.market_fee_bp),
            checkout_metrics,
        ),
        lambda conclusion: conclusion.checkout.buyer_id,
        books_pool,
        batches.provided.of.call("conclude_checkout"),
    )
    end_checkout = providers.Singleton(EndCheckout, catalog.stock, funds.funds, conclude.provided.submit)
    # Told besides whom fees are booked to.
    check_out = providers.Factory(
        CheckOut, begin.provided.submit, catalog.stock, place.provided.submit, funds.funds, end_checkout
    )
    steps = providers.Singleton(
        make_lanes,
        providers.Singleton(TakeSteps, books, uuid7),
        lambda step: step.order_id,
        books_pool,
        batches.provided.of.call("close_order"),
    )
    close_order = providers.Singleton(CloseOrder, steps.provided.submit, catalog.stock, funds.funds)

    # Told besides who knows tenants. It implements `Sales`.
    sales = providers.Factory(
        Sell,
        providers.Singleton(PostgresSales, books_rows, books_pool),
        providers.Singleton(PostgresOrders, books_rows, books_pool),
        providers.Object(order_json),
        uuid7,
        settings.provided.market_fee_bp,
    )

    upkeep_rows = providers.Singleton(TenantRows, database.provided.upkeep_pool)
    due = providers.Singleton(PostgresDue, upkeep_rows, database.provided.upkeep_pool)
    expired_keys = providers.Singleton(
        ExpiredKeys, database.provided.upkeep_pool, KEYS, platform.settings.provided.idempotency_ttl_h
    )


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> OrderingContainer:
    """The container."""
    settings: Settings = platform.settings()
    return OrderingContainer(
        settings=settings.of(OrderingSettings),
        platform=platform,
        database=database,
        funds=around["funds"],
        catalog=around["catalog"],
    )
