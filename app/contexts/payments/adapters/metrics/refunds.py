"""Metrics of refunds: what is promised and not known of yet, and what became of the others."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.payments.adapters.postgres.pending_refunds import PostgresPendingRefunds
from app.contexts.payments.application.refund_request import RefundPending
from app.contexts.payments.application.settle_refund import RefundSettlement, SettledRefund, SettleRefunds
from app.contexts.payments.domain.refund import RefundStatus
from app.kernel.errors import Unavailable


class PendingRefundMetrics:
    """What is left PENDING, the same whichever process is asked."""

    def __init__(self, pending: PostgresPendingRefunds, registry: CollectorRegistry) -> None:
        self._pending = pending
        self._count = Gauge(
            "strongbox_refunds_pending",
            "Refunds that are PENDING, those under way included.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._oldest = Gauge(
            "strongbox_refunds_pending_seconds",
            "Age of the oldest PENDING refund; 0 when there is none.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )

    async def look(self) -> None:
        """Look."""
        backlog = await self._pending.backlog()
        self._count.set(backlog.count)
        self._oldest.set(backlog.oldest_s)


class CountedRefunds:
    """The use case `SettleRefunds`, with the refunds counted that it makes final."""

    def __init__(self, settle: SettleRefunds, registry: CollectorRegistry) -> None:
        self._settle = settle
        total = Counter(
            "strongbox_refunds_settled", "Refunds that this process made final.", ("status",), registry=registry
        )
        self._series = {status: total.labels(status.value) for status in (RefundStatus.COMPLETED, RefundStatus.REFUSED)}

    async def __call__(self, settlements: Sequence[RefundSettlement]) -> Sequence[SettledRefund]:
        results = await self._settle(settlements)
        for status, count in Tally(result.refund.status for result in results if not result.before).items():
            self._series[status].inc(count)
        return results


class RefundRecoveryMetrics:
    """Counts what became of refunds that recovery took over; each attempt at one counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "strongbox_refund_recovery_attempts",
            "Attempts to finish a refund that was left PENDING: settled, pending (the gateway does not tell),"
            " unavailable (the database does not take it), or failed (a bug).",
            ("result",),
            registry=registry,
        )
        for result in ("settled", "pending", "unavailable", "failed"):
            self._attempts.labels(result)

    def observe(self, result: SettledRefund | RefundPending | Exception) -> None:
        """Count an attempt."""
        match result:
            case SettledRefund():
                self._attempts.labels("settled").inc()
            case RefundPending():
                self._attempts.labels("pending").inc()
            case Unavailable():
                self._attempts.labels("unavailable").inc()
            case _:
                self._attempts.labels("failed").inc()
