"""Metrics of bids: what became of them, and what is half done."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.auctions.application.asked import BidRequest
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.application.place_bid import PlaceBid
from app.contexts.auctions.application.recover import DueBids
from app.platform.people import Directory

PLACED: Final = "placed"


class CountedPlaceBid:
    """The use case `PlaceBid`, with bids counted by what became of them. What was answered before is not."""

    def __init__(self, place: PlaceBid, registry: CollectorRegistry) -> None:
        self._place = place
        self._total = Counter(
            "strongbox_bids",
            "Bids that this process decided: placed, or refused for this or that.",
            ("outcome",),
            registry=registry,
        )
        self._total.labels(PLACED)  # is there before anybody bids: no line is not the same as nothing

    async def __call__(self, request: BidRequest, deadline: float) -> Decided:
        decided = await self._place(request, deadline)
        if not decided.answered.replayed:
            self._total.labels(PLACED if decided.refusal is None else decided.refusal.code.lower()).inc()
        return decided


class HalfDone:
    """What is half done, the same whichever process is asked."""

    def __init__(self, due: DueBids, directory: Directory, registry: CollectorRegistry) -> None:
        self._due = due
        self._directory = directory
        self._intents, self._oldest_intent, self._returns, self._oldest_return = (
            Gauge(name, what, registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_open_bids", "Bids that are under way, neither placed nor refused."),
                ("strongbox_open_bids_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
                ("strongbox_bids_to_release", "Holds of bids that do not lead any more, and are to be released."),
                ("strongbox_bids_to_release_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
            )
        )

    async def look(self) -> None:
        """Look."""
        backlog = await self._due.backlog([house.tenant_id for house in await self._directory.tenants()])
        self._intents.set(backlog.intents)
        self._oldest_intent.set(backlog.oldest_intent_s)
        self._returns.set(backlog.returns)
        self._oldest_return.set(backlog.oldest_return_s)


class RecoveryMetrics:
    """Counts what recovery took over; each attempt at one counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "strongbox_auctions_recovery_attempts",
            "Attempts to undo a bid that was left half done, to release a hold, and to close an auction: done, "
            "unavailable (somebody does not answer), or failed (a bug).",
            ("kind", "result"),
            registry=registry,
        )
        self._attempts.labels("intent", "done")

    def count(self, kind: str, result: str) -> None:
        """One of them."""
        self._attempts.labels(kind, result).inc()
