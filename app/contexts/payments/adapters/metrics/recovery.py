"""Metrics of recovery: how often it looks, and what becomes of the payments that it takes over."""

import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.contexts.payments.application.recover import Pending
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.payment import Payment
from app.kernel.errors import Unavailable


class TimedPending:
    """`Pending` payments with each look for them timed, and those that fail counted by themselves."""

    def __init__(self, pending: Pending[Payment], registry: CollectorRegistry) -> None:
        self._pending = pending
        self._duration = Histogram(
            "strongbox_recovery_sweep_duration_seconds",
            "Time of a look for payments to recover, of which there is one every RECOVER_EVERY_S.",
            registry=registry,
        )
        self._failed = Counter(
            "strongbox_recovery_failed_sweeps",
            "Looks for payments to recover that failed: the database is away, or does not let them be looked for.",
            registry=registry,
        )

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """See `Pending.take`."""
        began = time.perf_counter()
        try:
            taken = await self._pending.take(limit, older_than_s, lease_s)
        except Exception:
            self._failed.inc()
            raise
        self._duration.observe(time.perf_counter() - began)
        return taken


class RecoveryMetrics:
    """Counts what became of payments that recovery took over; each attempt at one counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        attempts = Counter(
            "strongbox_recovery_attempts",
            "Attempts to finish a payment that was left PENDING: settled, pending (the gateway does not tell),"
            " unavailable (the database does not take it), or failed (a bug).",
            ("result",),
            registry=registry,
        )
        self._settled = attempts.labels("settled")
        self._pending = attempts.labels("pending")
        self._unavailable = attempts.labels("unavailable")
        self._failed = attempts.labels("failed")

    def observe(self, result: Answered | StillPending | Exception) -> None:
        """Count an attempt."""
        match result:
            case Answered():
                self._settled.inc()
            case StillPending():
                self._pending.inc()
            case Unavailable():
                self._unavailable.inc()
            case _:
                self._failed.inc()
