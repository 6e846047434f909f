"""Metrics of checkouts: what became of them, and what is half done."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.ordering.application.asked import CheckoutRefusal, CheckoutRequest
from app.contexts.ordering.application.begin import Begin, Begun
from app.contexts.ordering.application.conclude import Conclude, Concluded, Conclusion, GivenUp, Paid
from app.contexts.ordering.application.recover import DueBusiness
from app.contexts.ordering.domain.refusals import CartEmpty
from app.platform.idempotency.keys import Answered
from app.platform.people import Directory

PAID: Final = "paid"
GIVEN_UP: Final = "given_up"


class CheckoutMetrics:
    """Counts checkouts by what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "strongbox_checkouts",
            "Checkouts that this process ended: paid, refused for this or that, or given up by recovery.",
            ("outcome",),
            registry=registry,
        )
        self._total.labels(PAID)  # is there before anything was sold: no line is not the same as nothing

    def count(self, outcome: str) -> None:
        """One of them."""
        self._total.labels(outcome).inc()


class CountedBegin:
    """The use case `Begin`, with those counted that it refuses for good. What was answered before is not."""

    def __init__(self, begin: Begin, metrics: CheckoutMetrics) -> None:
        self._begin = begin
        self._metrics = metrics

    async def __call__(self, requests: Sequence[CheckoutRequest]) -> Sequence[Begun]:
        results = await self._begin(requests)
        for result in results:
            if isinstance(result, Answered) and not result.replayed:
                self._metrics.count(CartEmpty.code.lower())
        return results


class CountedConclude:
    """The use case `Conclude`, with the checkouts counted that it ends."""

    def __init__(self, conclude: Conclude, metrics: CheckoutMetrics) -> None:
        self._conclude = conclude
        self._metrics = metrics

    async def __call__(self, conclusions: Sequence[Conclusion]) -> Sequence[Concluded]:
        results = await self._conclude(conclusions)
        for conclusion, result in zip(conclusions, results, strict=True):
            if isinstance(result, GivenUp):
                self._metrics.count(GIVEN_UP)
            elif isinstance(result, Answered) and not result.replayed:
                refusal: CheckoutRefusal | None = None if isinstance(conclusion, Paid) else conclusion.refusal
                self._metrics.count(PAID if refusal is None else refusal.code.lower())
        return results


class HalfDone:
    """What is half done, the same whichever process is asked."""

    def __init__(self, due: DueBusiness, directory: Directory, registry: CollectorRegistry) -> None:
        self._due = due
        self._directory = directory
        self._checkouts, self._oldest_checkout, self._closings, self._oldest_closing = (
            Gauge(name, what, registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_pending_checkouts", "Checkouts that are pending, those under way included."),
                ("strongbox_pending_checkouts_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
                ("strongbox_open_closings", "Orders that are about to be shipped or cancelled."),
                ("strongbox_open_closings_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
            )
        )

    async def look(self) -> None:
        """Look."""
        backlog = await self._due.backlog([house.tenant_id for house in await self._directory.tenants()])
        self._checkouts.set(backlog.checkouts)
        self._oldest_checkout.set(backlog.oldest_checkout_s)
        self._closings.set(backlog.closings)
        self._oldest_closing.set(backlog.oldest_closing_s)


class RecoveryMetrics:
    """Counts what recovery took over; each attempt at one counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "strongbox_ordering_recovery_attempts",
            "Attempts to finish a checkout or a closing that was left half done, and to cancel or complete an order "
            "whose time had come: done, unavailable (somebody does not answer), or failed (a bug).",
            ("kind", "result"),
            registry=registry,
        )
        self._attempts.labels("checkout", "done")

    def count(self, kind: str, result: str) -> None:
        """One of them."""
        self._attempts.labels(kind, result).inc()
