"""Metrics of minting: what became of requests, what is open, and how the way to the chain is."""

from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.mint.application.ports import Requests
from app.contexts.mint.domain.request import Outcome, RequestStatus
from app.kernel.errors import Unavailable
from app.platform.metrics.gauges import Look
from app.platform.outgoing.breaker import Breaker

_log = structlog.get_logger(__name__)

_BREAKER: Final = {"closed": 0, "half_open": 1, "open": 2}


class MintMetrics:
    """Counts what this process brings to its end, and its calls to the chain."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._settled = Counter(
            "strongbox_mints",
            "Requests for tokens that this process saw to their end: minted, or failed.",
            ("result",),
            registry=registry,
        )
        self._calls = Counter(
            "strongbox_mint_chain_calls",
            "Calls to the chain's adapter: answered, refused (an answer, too), silent (it did not tell), or not_sent "
            "(the breaker was open).",
            ("call", "result"),
            registry=registry,
        )
        for result in ("minted", "failed"):
            self._settled.labels(result)  # is there before anything was: no line is not the same as nothing
        for call in ("mint", "get_mint"):
            for result in ("answered", "refused", "silent", "not_sent"):
                self._calls.labels(call, result)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """Requests that came to their end, which the log tells as well."""
        for outcome in outcomes:
            assert outcome.status is not None
            self._settled.labels(outcome.status.value.lower()).inc()
            known = {"request_id": str(outcome.request.id), "entry_id": str(outcome.request.entry_id)}
            if outcome.status is RequestStatus.MINTED:
                _log.info("mint_completed", **known, tx_hash=outcome.tx_hash)
            else:
                _log.error("mint_failed", **known, reason=outcome.reason)

    def called(self, call: str, result: str) -> None:
        """A call."""
        self._calls.labels(call, result).inc()


class OpenRequests:
    """What is open, the same whichever process is asked."""

    def __init__(self, requests: Requests, registry: CollectorRegistry) -> None:
        self._requests = requests
        self._open = Gauge(
            "strongbox_mint_open_requests",
            "Requests for tokens that are neither minted nor failed: requested (the chain has not said that it has "
            "them), or submitted (it has).",
            ("status",),
            registry=registry,
        )
        self._oldest = Gauge(
            "strongbox_mint_oldest_open_age_seconds", "Age of the oldest of them; 0 when there is none.",
            registry=registry,
        )  # fmt: skip

    async def look(self) -> None:
        """Look."""
        try:
            backlog = await self._requests.backlog()
        except ConnectionError as error:
            raise Unavailable(str(error)) from error
        self._open.labels("requested").set(backlog.requested)
        self._open.labels("submitted").set(backlog.submitted)
        self._oldest.set(backlog.oldest_s)


def breaker_look(breaker: Breaker, registry: CollectorRegistry) -> Look:
    """How the way to the chain is."""
    gauge = Gauge("strongbox_mint_breaker_state", "0 closed, 1 half-open, 2 open.", registry=registry)

    async def look() -> None:
        gauge.set(_BREAKER[breaker.state])

    return look
