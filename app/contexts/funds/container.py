"""How funds are wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.funds.adapters.cache.summaries import forgetting
from app.contexts.funds.adapters.http.answers import HttpTransferAnswers
from app.contexts.funds.adapters.metrics.transactions import ExpiryMetrics, OverdueMetrics, TransactionMetrics
from app.contexts.funds.adapters.postgres.books import PostgresFundsBooks
from app.contexts.funds.adapters.postgres.expiring import PostgresExpiringHolds
from app.contexts.funds.adapters.postgres.fundings import PostgresFundingBooks
from app.contexts.funds.adapters.postgres.holds import PostgresHoldReader
from app.contexts.funds.adapters.postgres.overdue import PostgresOverdue
from app.contexts.funds.adapters.postgres.past import PostgresPast
from app.contexts.funds.adapters.postgres.reconcile import PostgresStandings
from app.contexts.funds.adapters.postgres.stories import PostgresStories
from app.contexts.funds.adapters.postgres.wallets import PostgresWalletReader
from app.contexts.funds.application.asked import Answers
from app.contexts.funds.application.close import Close
from app.contexts.funds.application.desk import Desk
from app.contexts.funds.application.expire import Expire
from app.contexts.funds.application.forbid import Forbid
from app.contexts.funds.application.fund import Fund
from app.contexts.funds.application.perform import Perform
from app.contexts.funds.application.receive import Receive
from app.contexts.funds.application.send import Send
from app.contexts.funds.application.send_bulk import SendBulk
from app.contexts.funds.application.statement import Statements
from app.contexts.funds.application.stories import TellStories
from app.contexts.funds.part import NO_PAYMENTS, PaymentQueries
from app.platform.idempotency.purge import ExpiredKeys
from app.platform.idempotency.requests import KEYS, RequestKeys
from app.platform.postgres.batching import make_lanes, make_lanes_of_one
from app.platform.postgres.database import Database
from app.platform.postgres.trail import PostgresTrail
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform

EXPIRY_EVERY_S = 1.0
"""How often holds are looked for whose time is over, unless one's is sooner."""


class FundsContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    payment_queries = providers.Dependency(instance_of=PaymentQueries)
    registry = platform.registry
    batches = platform.batches

    reader = providers.Singleton(PostgresWalletReader, database.provided.reads, payment_queries)
    # One connection, and the other of those that reserve payments.
    funding_pool = providers.Singleton(lambda database: database.planned_pool("reserve", 2), database)
    funding_books = providers.Singleton(PostgresFundingBooks, funding_pool, payment_queries)
    paying_in = providers.Singleton(Fund, funding_books, uuid7, platform.settings.provided.currencies)

    # Whatever moves money between wallets or sets it aside: a connection for each lane that is busy, up to five. Bulks
    # leave two of them.
    moving_pool = providers.Singleton(lambda database: database.planned_pool("move", 5), database)
    transaction_metrics = providers.Singleton(TransactionMetrics, registry)
    committed = providers.Singleton(forgetting, platform.cache, transaction_metrics.provided.observe)
    books = providers.Singleton(PostgresFundsBooks, moving_pool, payment_queries, committed)
    perform = providers.Singleton(
        make_lanes,
        providers.Singleton(Perform, books, uuid7),
        lambda operation: operation.owner,
        moving_pool,
        batches.provided.of.call("perform"),
    )
    forbid = providers.Singleton(
        make_lanes,
        providers.Singleton(Forbid, books),
        lambda operation: operation.business_id,
        moving_pool,
        batches.provided.of.call("forbid"),
    )
    close = providers.Singleton(
        make_lanes,
        providers.Singleton(Close, books, uuid7),
        lambda closing: closing.hold.owner,
        moving_pool,
        batches.provided.of.call("close"),
    )
    funds = providers.Singleton(Desk, perform.provided.submit, forbid.provided.submit, close.provided.submit)
    # What sending and receiving answer, as HTTP has it.
    answers: providers.Dependency[Answers] = providers.Dependency()
    send = providers.Singleton(
        make_lanes,
        providers.Singleton(Send, books, answers, uuid7),
        lambda request: request.sender,
        moving_pool,
        batches.provided.of.call("send"),
    )
    receive = providers.Singleton(
        make_lanes,
        providers.Singleton(Receive, books, answers, uuid7),
        lambda request: request.recipient,
        moving_pool,
        batches.provided.of.call("receive"),
    )
    send_bulk = providers.Singleton(
        make_lanes_of_one,
        providers.Singleton(SendBulk, books, answers, uuid7),
        lambda request: request.sender,
        moving_pool,
        batches.provided.of.call("send_bulk"),
    )

    # What wallets held, and what moved them: a statement of a million lines holds up nobody's other reads.
    past_pool = providers.Singleton(lambda database: database.planned_pool("past", 2), database)
    past = providers.Singleton(PostgresPast, past_pool, payment_queries)
    look_back = providers.Singleton(
        make_lanes,
        past.provided.stood,
        lambda question: question.user_id,
        past_pool,
        batches.provided.of.call("look_back"),
    )
    statements = providers.Singleton(Statements, look_back.provided.submit, past)

    expiry = providers.Factory(
        Expire,
        providers.Singleton(PostgresExpiringHolds, database.provided.upkeep_pool),
        close.provided.submit,
        EXPIRY_EVERY_S,
        providers.Singleton(ExpiryMetrics, registry).provided.observe,
    )

    overdue = providers.Singleton(PostgresOverdue, database.provided.upkeep_pool)
    overdue_metrics = providers.Singleton(OverdueMetrics, registry)
    hold_reader = providers.Singleton(PostgresHoldReader, database.provided.reads)
    request_keys = providers.Singleton(RequestKeys, database.provided.reads)
    expired_keys = providers.Singleton(
        ExpiredKeys, database.provided.upkeep_pool, KEYS, platform.settings.provided.idempotency_ttl_h
    )
    standings = providers.Factory(PostgresStandings, database.provided.url, payment_queries)
    story_records = providers.Singleton(PostgresStories, database.provided.url)
    trail = providers.Singleton(PostgresTrail, platform.settings.provided.consumers_url)
    stories = providers.Singleton(TellStories, story_records, trail)


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> FundsContainer:
    """The container, with what watches the calls in it where that is asked for."""
    settings: Settings = platform.settings()
    container = FundsContainer(
        platform=platform,
        database=database,
        payment_queries=around.get("payment_queries", NO_PAYMENTS),
        answers=HttpTransferAnswers(),
    )
    if settings.log_level == "debug":
        from app.contexts.funds.adapters.logging.timings import TimedWalletReader  # noqa: PLC0415 -- when it is wanted

        container.reader.override(providers.Singleton(TimedWalletReader, database.reads, container.payment_queries()))
    return container
