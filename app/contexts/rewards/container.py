"""How rewards are wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.rewards.adapters.chain.on_chain import ChainBalance
from app.contexts.rewards.adapters.http.answers import HttpAnswers
from app.contexts.rewards.adapters.messaging.hearing import Hearing
from app.contexts.rewards.adapters.metrics.cashback import CashbackMetrics, CountedBuy, CountedHear, CountedTakeBack
from app.contexts.rewards.adapters.postgres.books import PostgresBooks
from app.contexts.rewards.adapters.postgres.figures import PostgresFigures
from app.contexts.rewards.adapters.postgres.knowing import Know
from app.contexts.rewards.adapters.postgres.ledger import PostgresLedger
from app.contexts.rewards.adapters.postgres.rules import PostgresRules
from app.contexts.rewards.adapters.postgres.stories import PostgresCashbackStories
from app.contexts.rewards.application.buy import Buy
from app.contexts.rewards.application.change_rules import ChangeRules
from app.contexts.rewards.application.hear import Hear
from app.contexts.rewards.application.read_cashback import ReadCashback
from app.contexts.rewards.application.refund import TakeBack
from app.contexts.rewards.application.tell_cashback import TellCashback
from app.contexts.rewards.settings import RewardsSettings
from app.platform.idempotency.purge import ExpiredKeys
from app.platform.idempotency.requests import KEYS
from app.platform.postgres.batching import make_lanes
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.postgres.trail import PostgresTrail
from app.platform.postgres.transactions import Transactions
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform
from app.platform.tenants import KnownTenants


class RewardsContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=RewardsSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    # Who knows what is on the chain: None where nobody says where that is.
    chain: providers.Provider[Any] = providers.Object(None)

    batches = platform.batches
    registry = platform.registry
    metrics = providers.Singleton(CashbackMetrics, registry)

    pool = providers.Singleton(lambda database: database.planned_pool("rewards", 4), database)
    rows = providers.Singleton(TenantRows, pool)
    ledger = providers.Singleton(PostgresLedger, rows, pool)
    read_cashback = providers.Singleton(ReadCashback, ledger, providers.Singleton(ChainBalance, chain))
    rules = providers.Singleton(PostgresRules, rows, pool)
    change_rules = providers.Singleton(ChangeRules, rules, uuid7)

    # Whatever gives and takes back: a connection for each lane that is busy, up to four.
    books_pool = providers.Singleton(lambda database: database.planned_pool("cashback", 4), database)
    books = providers.Singleton(
        PostgresBooks, providers.Singleton(TenantRows, books_pool), providers.Singleton(Transactions, books_pool)
    )
    answers = providers.Singleton(HttpAnswers)
    buy = providers.Singleton(
        make_lanes,
        providers.Singleton(
            CountedBuy, providers.Singleton(Buy, books, answers, settings.provided.token, uuid7), metrics
        ),
        lambda request: request.user_id,
        books_pool,
        batches.provided.of.call("buy"),
    )
    take_back = providers.Singleton(
        make_lanes,
        providers.Singleton(
            CountedTakeBack, providers.Singleton(TakeBack, books, answers, settings.provided.token, uuid7), metrics
        ),
        lambda request: request.purchase_id,
        books_pool,
        batches.provided.of.call("take_back"),
    )
    hear = providers.Singleton(Hear, books, settings.provided.token, uuid7)
    know = providers.Singleton(Know, hear, books_pool)
    hearing = providers.Singleton(Hearing, providers.Singleton(CountedHear, hear, metrics))

    tenants = providers.Factory(KnownTenants, platform.people)
    tell_cashback = providers.Factory(
        TellCashback,
        providers.Singleton(PostgresCashbackStories, database.provided.url),
        providers.Singleton(PostgresTrail, platform.settings.provided.consumers_url),
    )

    figures = providers.Singleton(
        PostgresFigures, providers.Singleton(TenantRows, database.provided.upkeep_pool), database.provided.upkeep_pool
    )
    expired_keys = providers.Singleton(
        ExpiredKeys, database.provided.upkeep_pool, KEYS, platform.settings.provided.idempotency_ttl_h
    )


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> RewardsContainer:
    """The container."""
    settings: Settings = platform.settings()
    is_somewhere = settings.text("CHAIN_GRPC_URL") and settings.text("CHAIN_TOKEN")
    return RewardsContainer(
        settings=settings.of(RewardsSettings),
        platform=platform,
        database=database,
        chain=around["chain"].chain if is_somewhere else providers.Object(None),
    )
