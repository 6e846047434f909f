"""Metrics of payments that are looked at now and then: what is not final, and how the way to the gateway is."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge

from app.contexts.payments.adapters.gateway.resilience import ResilientGateway
from app.contexts.payments.adapters.metrics.refunds import PendingRefundMetrics
from app.contexts.payments.adapters.postgres.pending import PostgresPendingPayments
from app.contexts.payments.adapters.postgres.pending_refunds import PostgresPendingRefunds
from app.contexts.payments.application.unsettled import Unsettled
from app.platform.metrics.gauges import Look

_BREAKER = {"closed": 0, "half_open": 1, "open": 2}


def looks(
    pending: PostgresPendingPayments,
    refunds: PostgresPendingRefunds,
    unsettled: Unsettled,
    gateway: ResilientGateway,
    registry: CollectorRegistry,
) -> Sequence[Look]:
    """What the gauges of a process show that takes or finishes payments."""
    return (
        PendingMetrics(pending, registry).look,
        PendingRefundMetrics(refunds, registry).look,
        UnsettledMetrics(unsettled, registry).look,
        GateMetrics(gateway, registry).look,
    )


class PendingMetrics:
    """What is left PENDING, the same whichever process is asked."""

    def __init__(self, pending: PostgresPendingPayments, registry: CollectorRegistry) -> None:
        self._pending = pending
        self._count = Gauge(
            "strongbox_pending_payments",
            "Payments that are PENDING, those under way included.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._oldest = Gauge(
            "strongbox_pending_oldest_age_seconds",
            "Age of the oldest PENDING payment; 0 when there is none.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        backlog = await self._pending.backlog()
        self._count.set(backlog.count)
        self._oldest.set(backlog.oldest_s)


class UnsettledMetrics:
    """Settlements that wait for the database to take them."""

    def __init__(self, unsettled: Unsettled, registry: CollectorRegistry) -> None:
        self._unsettled = unsettled
        self._gauge = Gauge(
            "strongbox_unsettled_payments",
            "Payments whose outcome this process knows, and the database has not taken yet.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._gauge.set(len(self._unsettled))


class GateMetrics:
    """The bulkhead's slots and the breaker's state."""

    def __init__(self, gateway: ResilientGateway, registry: CollectorRegistry) -> None:
        self._gateway = gateway
        self._in_use = Gauge(
            "strongbox_gateway_slots_in_use",
            "Payments that hold a slot of the bulkhead.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._slots = Gauge(
            "strongbox_gateway_slots", "Slots of the bulkhead.", multiprocess_mode="livesum", registry=registry
        )
        self._breaker = Gauge(
            "strongbox_gateway_breaker_state",
            "0 closed, 1 half-open, 2 open; of several workers the worst.",
            multiprocess_mode="livemax",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        self._in_use.set(self._gateway.gate.in_use)
        self._slots.set(self._gateway.gate.slots)
        self._breaker.set(_BREAKER[self._gateway.breaker_state])
