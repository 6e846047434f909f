"""Metrics of webhooks: what attempts came to, and how late deliveries are. No endpoint is named."""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.contexts.webhooks.application.figures import Figures
from app.contexts.webhooks.domain.delivery import Error, Result
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ANSWERS = ("2xx", "3xx", "4xx", "5xx")


class WebhookMetrics:
    """Counts what this process did. It implements `Observer`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "strongbox_webhook_attempts",
            "Attempts that this process has made, by what came of them: an answer, or why there was none.",
            ("outcome",),
            registry=registry,
        )
        self._took = Histogram(
            "strongbox_webhook_attempt_seconds",
            "How long its attempts took, name and connection included.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._disabled = Counter(
            "strongbox_webhooks_disabled",
            "Webhooks that it has disabled, by why: gone (410), or failing for 72 hours.",
            ("reason",),
            registry=registry,
        )
        for outcome in (*_ANSWERS, *(error.value for error in Error if error is not Error.LOST)):
            self._attempts.labels(outcome)  # is there before anything was: no line is not the same as nothing
        for reason in Reason:
            self._disabled.labels(reason.value)

    def ended(self, results: Sequence[Result]) -> None:
        """See `Observer.ended`."""
        for result in results:
            self._attempts.labels(_outcome(result)).inc()
            self._took.observe(result.took_s)

    def disabled(self, reasons: Mapping[EndpointId, Reason]) -> None:
        """See `Observer.disabled`."""
        for reason in reasons.values():
            self._disabled.labels(reason.value).inc()


def _outcome(result: Result) -> str:
    if result.status is None:
        assert result.error is not None, "one of the two there is"
        return result.error.value
    return f"{min(result.status // 100, 5)}xx"


class Waiting:
    """What waits, the same whichever process is asked."""

    def __init__(self, figures: Figures, registry: CollectorRegistry) -> None:
        self._figures = figures
        self._late = Gauge(
            "strongbox_webhooks_late_seconds",
            "How long what is due waits for a sender, at the most; 0 when nothing is due.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._endpoints = Gauge(
            "strongbox_webhooks",
            "Webhooks: active, disabled; of the active ones those that fail, and those where nobody answers.",
            ("state",),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )

    async def look(self) -> None:
        """Look."""
        totals = await self._figures.totals()
        self._late.set(totals.late_s)
        for state in ("active", "disabled", "failing", "silent"):
            self._endpoints.labels(state).set(getattr(totals, state))
