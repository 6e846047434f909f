"""The composition root: which adapter stands behind which port. Nobody imports it but the processes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

import httpx
from dependency_injector import containers, providers

from app.adapters.gateway.resilience import ResilientGateway
from app.adapters.gateway.transport import Http1Transport
from app.adapters.http.answers import HttpAnswers
from app.adapters.http.services import Following
from app.adapters.postgres.books import PostgresBooks
from app.adapters.postgres.lanes import BatchObserver, Lane, Lanes
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.pending import PostgresPendingPayments
from app.adapters.postgres.plans import make_planned_pool
from app.adapters.postgres.pool import Pool, make_pool
from app.adapters.postgres.reading import LANES, PostgresReader
from app.application.payments.pay import Pay
from app.application.payments.reserve import Reserve
from app.application.payments.resolve import Resolve
from app.application.payments.settle import Mark, Settle
from app.application.payments.unsettled import Unsettled
from app.application.wallets.fund import Fund
from app.main.exposition import make_registry
from app.main.ids import uuid7
from app.main.settings import Settings
from app.main.telemetry import lines
from app.main.telemetry.payments import BatchMetrics, CountedSettle, GatewayMetrics

C = TypeVar("C")
R = TypeVar("R")

BATCH = 128
"""Commands a batch at the most: past some hundred a batch wins nothing and only makes the next one wait."""
QUEUE = 2_048
"""Commands a lane lets wait before it answers 503: about a second's worth."""
FINISH_S = 1.0
"""Time kept for the mark and the settlement, beside the question and the void."""


def make_lanes(
    use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]],
    user_of: Callable[[C], UUID],
    pool: Pool,
    observe: BatchObserver,
) -> Lanes[C, R]:
    """The use case, batched."""

    def lane() -> Lane[C, R]:
        return Lane(use_case, size=BATCH, queue_limit=QUEUE, on_lost=pool.check, observe=observe)

    return Lanes(user_of, lane(), lane())


def make_transport(settings: Settings) -> Http1Transport:
    """The gateway's connections: as many again for those who need no slot, as recovery in the same process."""
    return Http1Transport(connections=2 * settings.gateway_concurrency)


def make_gateway(settings: Settings, metrics: GatewayMetrics, transport: httpx.AsyncBaseTransport) -> ResilientGateway:
    """The client of the gateway, with time kept to ask, mark, void and settle."""
    return ResilientGateway(
        settings.gateway_url,
        transport=transport,
        timeout_s=settings.gateway_timeout_s,
        attempts=settings.gateway_attempts,
        concurrency=settings.gateway_concurrency,
        breaker_failures=settings.breaker_failures,
        breaker_reset_s=settings.breaker_reset_s,
        observe=metrics.observe,
        finish_budget_s=min(2 * settings.gateway_timeout_s + FINISH_S, settings.request_timeout_s / 2),
    )


class Container(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=Settings)
    registry = providers.Singleton(make_registry)
    answers = providers.Singleton(HttpAnswers)
    follow: providers.Provider[Following | None] = providers.Object(None)

    # Finishing never waits behind starting, nor either behind reading: each has connections of its own.
    # A connection for each lane, and for the one aside of it; two lanes finish.
    starting_pool = providers.Singleton(make_planned_pool, settings.provided.database_url, "strongbox-reserve", 2)
    finishing_pool = providers.Singleton(make_planned_pool, settings.provided.database_url, "strongbox-settle", 4)
    reading_pool = providers.Singleton(make_planned_pool, settings.provided.database_url, "strongbox-read", LANES)
    upkeep_pool = providers.Singleton(make_pool, settings.provided.database_url, "strongbox-upkeep", 2)

    batches = providers.Singleton(BatchMetrics, registry)
    reader = providers.Singleton(PostgresReader, reading_pool, batches.provided.of.call("read"))
    pending = providers.Singleton(PostgresPendingPayments, upkeep_pool)
    outbox = providers.Singleton(PostgresOutbox, upkeep_pool)
    starting_books = providers.Singleton(PostgresBooks, starting_pool)
    finishing_books = providers.Singleton(PostgresBooks, finishing_pool)
    transport = providers.Singleton(make_transport, settings)
    # `….provided` is the thing itself, and these names the ports: `trace` puts spans around what they stand for.
    sending = transport.provided
    gateway = providers.Singleton(make_gateway, settings, providers.Singleton(GatewayMetrics, registry), sending)
    charging = gateway.provided
    # The lines of a payment stand around the ports as the use cases have them, where the caller's context is.
    charge = providers.Singleton(lines.LoggedGateway, charging)

    reserve = providers.Singleton(
        make_lanes,
        providers.Singleton(Reserve, starting_books, answers, uuid7),
        lambda request: request.user_id,
        starting_pool,
        batches.provided.of.call("reserve"),
    )
    reserving = reserve.provided.submit
    settle = providers.Singleton(
        make_lanes,
        providers.Singleton(CountedSettle, providers.Singleton(Settle, finishing_books, answers, uuid7), registry),
        lambda settlement: settlement.payment.user_id,
        finishing_pool,
        batches.provided.of.call("settle"),
    )
    settling = settle.provided.submit
    unsettled = providers.Singleton(
        Unsettled, providers.Singleton(lines.settling, settling), settings.provided.recover_after_s
    )
    mark = providers.Singleton(
        make_lanes,
        providers.Singleton(Mark, finishing_books, answers),
        lambda payment: payment.user_id,
        finishing_pool,
        batches.provided.of.call("mark"),
    )
    marking = mark.provided.submit
    resolve = providers.Singleton(
        Resolve, charge, unsettled.provided.settle, providers.Singleton(lines.marking, marking)
    )
    recovering = resolve.provided
    pay = providers.Singleton(
        Pay,
        gateway.provided.gate,
        providers.Singleton(lines.LoggedKeys, reader),
        providers.Singleton(lines.reserving, reserving),
        charge,
        unsettled.provided.settle,
        resolve,
    )
    fund = providers.Singleton(Fund, starting_books, uuid7, settings.provided.currencies)
