"""How payments are wired: which adapter stands behind which port."""

from collections.abc import Mapping
from typing import Any

import httpx
from dependency_injector import containers, providers

from app.contexts.payments.adapters.gateway.resilience import ResilientGateway
from app.contexts.payments.adapters.http.answers import HttpAnswers, HttpRefundAnswers
from app.contexts.payments.adapters.logging import lines, refund_lines
from app.contexts.payments.adapters.logging.unsettled import UnsettledLines
from app.contexts.payments.adapters.metrics.payments import CountedSettle, GatewayMetrics
from app.contexts.payments.adapters.metrics.refunds import CountedRefunds
from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.adapters.postgres.keys import PostgresKeys
from app.contexts.payments.adapters.postgres.pending import PostgresPendingPayments
from app.contexts.payments.adapters.postgres.pending_refunds import PostgresPendingRefunds
from app.contexts.payments.adapters.postgres.reader import PostgresPayments
from app.contexts.payments.adapters.postgres.refund_books import PostgresRefundBooks, PostgresRefundRecords
from app.contexts.payments.application.pay import Pay
from app.contexts.payments.application.promise import MakePromises
from app.contexts.payments.application.read_payments import ReadPayments
from app.contexts.payments.application.refund_payment import RefundPayment, ResolveRefund
from app.contexts.payments.application.reserve import Reserve
from app.contexts.payments.application.resolve import Resolve
from app.contexts.payments.application.settle import Mark, Settle
from app.contexts.payments.application.settle_refund import SettleRefunds
from app.contexts.payments.application.unsettled import Unsettled
from app.contexts.payments.settings import PaymentsSettings
from app.platform.idempotency.requests import RequestKeys
from app.platform.outgoing.transport import Http1Transport
from app.platform.postgres.batching import make_lanes
from app.platform.postgres.database import Database
from app.platform.postgres.pool import Pool
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform

FINISH_S = 1.0
"""Time kept for the mark and the settlement, beside the question and the void."""


def make_transport(settings: PaymentsSettings) -> Http1Transport:
    """The gateway's connections: as many again for those who need no slot, as recovery in the same process."""
    return Http1Transport(connections=2 * settings.gateway_concurrency)


def make_gateway(
    settings: PaymentsSettings, platform: Settings, metrics: GatewayMetrics, transport: httpx.AsyncBaseTransport
) -> ResilientGateway:
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
        finish_budget_s=min(2 * settings.gateway_timeout_s + FINISH_S, platform.request_timeout_s / 2),
    )


def _planned_pool(database: Database, purpose: str, connections: int) -> Pool:
    return database.planned_pool(purpose, connections)


class PaymentsContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=PaymentsSettings)
    platform = providers.DependenciesContainer()
    funds = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    registry = platform.registry
    batches = platform.batches
    answers = providers.Singleton(HttpAnswers)

    # Finishing never waits behind starting, nor either behind reading: each has connections of its own.
    # A connection for each lane, and for the one aside of it; two lanes finish.
    starting_pool = providers.Singleton(_planned_pool, database, "reserve", 2)
    finishing_pool = providers.Singleton(_planned_pool, database, "settle", 4)
    reading_pool = database.provided.reading_pool
    upkeep_pool = database.provided.upkeep_pool

    reads = database.provided.reads
    keys = providers.Singleton(PostgresKeys, reads)
    pending = providers.Singleton(PostgresPendingPayments, upkeep_pool)
    starting_books = providers.Singleton(PostgresBooks, starting_pool)
    finishing_books = providers.Singleton(PostgresBooks, finishing_pool)
    transport = providers.Singleton(make_transport, settings)
    # `….provided` is the thing itself, and these names the ports: `trace` puts spans around what they stand for.
    sending = transport.provided
    gateway = providers.Singleton(
        make_gateway, settings, platform.settings, providers.Singleton(GatewayMetrics, registry), sending
    )
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
        Unsettled,
        providers.Singleton(lines.settling, settling),
        platform.settings.provided.recover_after_s,
        UnsettledLines(),
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
        providers.Singleton(lines.LoggedKeys, keys),
        providers.Singleton(lines.reserving, reserving),
        charge,
        unsettled.provided.settle,
        resolve,
    )
    request_keys = providers.Singleton(RequestKeys, reads)

    # Told besides whose those are that hold API_KEYS.
    read_payments = providers.Factory(ReadPayments, providers.Singleton(PostgresPayments, reads))

    refund_answers = providers.Singleton(HttpRefundAnswers)
    pending_refunds = providers.Singleton(PostgresPendingRefunds, upkeep_pool)
    refunding = gateway.provided.refunds
    giving_back = providers.Singleton(refund_lines.LoggedRefundGateway, refunding)
    promise = providers.Singleton(
        make_lanes,
        providers.Singleton(
            MakePromises, providers.Singleton(PostgresRefundBooks, starting_pool), refund_answers, uuid7
        ),
        lambda request: request.payment_id,
        starting_pool,
        batches.provided.of.call("promise_refund"),
    )
    promising = promise.provided.submit
    settle_refund = providers.Singleton(
        make_lanes,
        providers.Singleton(
            CountedRefunds,
            providers.Singleton(
                SettleRefunds, providers.Singleton(PostgresRefundBooks, finishing_pool), refund_answers, uuid7
            ),
            registry,
        ),
        lambda settlement: settlement.refund.user_id,
        finishing_pool,
        batches.provided.of.call("settle_refund"),
    )
    settling_refund = settle_refund.provided.submit
    keeping_promises = providers.Singleton(refund_lines.settling, settling_refund)
    resolve_refund = providers.Singleton(ResolveRefund, giving_back, keeping_promises, pending_refunds.provided.put_off)
    recovering_refund = resolve_refund.provided
    refund_payment = providers.Singleton(
        RefundPayment,
        gateway.provided.refund_gate,
        providers.Singleton(PostgresRefundRecords, reads),
        providers.Singleton(refund_lines.promising, promising),
        giving_back,
        keeping_promises,
    )


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> PaymentsContainer:
    """The container, with what watches the calls in it where that is asked for."""
    settings: Settings = platform.settings()
    container = PaymentsContainer(
        settings=settings.of(PaymentsSettings), platform=platform, funds=around["funds"], database=database
    )
    if settings.log_level == "debug":
        from app.contexts.payments.observed import time_repositories  # noqa: PLC0415 -- only when it is wanted

        time_repositories(container)
    if (tracer := platform.tracer()) is not None:
        from app.contexts.payments.observed import trace  # noqa: PLC0415 -- only when it is wanted

        trace(container, tracer)
    return container
