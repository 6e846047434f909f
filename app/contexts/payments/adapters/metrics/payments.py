"""Metrics of payments on their way: the gateway's calls, and what became of them."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Marked, Settle, Settlement
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, Outcome
from app.contexts.payments.domain.payment import Status


class GatewayMetrics:
    """Counts and times what was asked of the gateway."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "strongbox_gateway_calls",
            "Charges, refunds, questions and voids, by how they ended.",
            ("operation", "outcome"),
            registry=registry,
        )
        self._attempts = Counter(
            "strongbox_gateway_attempts",
            "Requests made for them, retries included: answered, or without an outcome.",
            ("operation", "outcome"),
            registry=registry,
        )
        self._duration = Histogram(
            "strongbox_gateway_call_duration_seconds",
            "Time from a call's first attempt to its outcome.",
            ("operation",),
            registry=registry,
        )
        # Finding a labelled child costs more than counting; the children are few.
        self._series: dict[tuple[str, str], Counter] = {}
        self._durations = {
            operation: self._duration.labels(operation)
            for operation in ("charge", "ask", "void", "refund", "ask_refund")
        }

    def observe(self, operation: str, outcome: str, attempts: Sequence[str], elapsed_s: float) -> None:
        """Count a finished call."""
        self._one(self._calls, operation, outcome.lower()).inc()
        for attempt in attempts:
            self._one(self._attempts, operation, attempt).inc()
        self._durations[operation].observe(elapsed_s)

    def _one(self, counter: Counter, operation: str, outcome: str) -> Counter:
        # The outcomes of calls and those of attempts have no name in common.
        series = self._series.get((operation, outcome))
        if series is None:
            series = self._series[operation, outcome] = counter.labels(operation, outcome)
        return series


class CountedSettle:
    """The use case `Settle`, with the payments counted that it makes final."""

    def __init__(self, settle: Settle, registry: CollectorRegistry) -> None:
        self._settle = settle
        total = Counter(
            "strongbox_payments_settled",
            "Payments that this process made final.",
            ("status", "failure_code"),
            registry=registry,
        )
        # A declined payment's failure code is the gateway's own word, of which there may be any number.
        self._approved = total.labels(Status.APPROVED.value, "")
        self._declined = total.labels(Status.DECLINED.value, "")
        self._failed = {why: total.labels(Status.FAILED.value, why.value) for why in FailureCode}

    async def __call__(self, settlements: Sequence[Settlement]) -> Sequence[Answered | Marked]:
        results = await self._settle(settlements)
        # What was settled before is a replay, and counted where it was settled.
        settled = Tally(
            self._series(settlement.outcome)
            for settlement, result in zip(settlements, results, strict=True)
            if isinstance(result, Answered) and not result.replayed
        )
        for series, count in settled.items():
            series.inc(count)
        return results

    def _series(self, outcome: Outcome) -> Counter:
        match outcome:
            case Approved():
                return self._approved
            case Declined():
                return self._declined
            case _:
                return self._failed[outcome.why]
