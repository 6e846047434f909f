"""Metrics of cashback: what became of purchases and refunds, what was heard, and what is outstanding."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.rewards.application.asked import BuyRequest, RefundRequest, Result
from app.contexts.rewards.application.buy import Buy
from app.contexts.rewards.application.figures import Figures, Totals
from app.contexts.rewards.application.hear import Hear, Heard
from app.contexts.rewards.application.refund import TakeBack
from app.platform.idempotency.keys import Answered
from app.platform.people import Directory

DONE: Final = "done"
REFUSED: Final = "refused"


class CashbackMetrics:
    """Counts what this process did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._asked = Counter(
            "strongbox_cashback_requests",
            "Purchases and refunds that this process has answered for good: done, or refused.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._heard = Counter(
            "strongbox_cashback_events",
            "Events that this process has had the effect of, those that were known included.",
            ("type",),
            registry=registry,
        )
        for kind in ("purchase", "refund"):
            self._asked.labels(kind, DONE)  # is there before anything was: no line is not the same as nothing

    def answered(self, kind: str, results: Sequence[Result]) -> None:
        """Requests of the kind have these results. Replays are not counted."""
        for result in results:
            if isinstance(result, Answered) and not result.replayed:
                self._asked.labels(kind, DONE if result.answer.status < 400 else REFUSED).inc()

    def heard(self, events: Sequence[Heard]) -> None:
        """These had their effect."""
        for event in events:
            self._heard.labels(type(event.fact).__name__.lower()).inc()


class CountedBuy:
    """The use case `Buy`, counted."""

    def __init__(self, buy: Buy, metrics: CashbackMetrics) -> None:
        self._buy = buy
        self._metrics = metrics

    async def __call__(self, requests: Sequence[BuyRequest]) -> Sequence[Result]:
        results = await self._buy(requests)
        self._metrics.answered("purchase", results)
        return results


class CountedTakeBack:
    """The use case `TakeBack`, counted."""

    def __init__(self, take_back: TakeBack, metrics: CashbackMetrics) -> None:
        self._take_back = take_back
        self._metrics = metrics

    async def __call__(self, requests: Sequence[RefundRequest]) -> Sequence[Result]:
        results = await self._take_back(requests)
        self._metrics.answered("refund", results)
        return results


class CountedHear:
    """The use case `Hear`, counted."""

    def __init__(self, hear: Hear, metrics: CashbackMetrics) -> None:
        self._hear = hear
        self._metrics = metrics

    async def __call__(self, events: Sequence[Heard]) -> None:
        await self._hear(events)
        self._metrics.heard(events)


class Outstanding:
    """What is outstanding, the same whichever process is asked."""

    def __init__(self, figures: Figures, directory: Directory, registry: CollectorRegistry) -> None:
        self._figures = figures
        self._directory = directory
        self._units = Gauge(
            "strongbox_cashback_base_units",
            "Base units by where they are: accrued, minting, minted; and what is owed of them: debt.",
            ("state",),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._minting, self._oldest, self._parked = (
            Gauge(name, what, registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_cashback_minting", "Entries that were asked to be minted, and are not yet."),
                ("strongbox_cashback_minting_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
                ("strongbox_cashback_parked_events", "Payments of somebody of whom nobody has told whose they are."),
            )
        )

    async def look(self) -> None:
        """Look."""
        totals: Totals = await self._figures.totals([house.tenant_id for house in await self._directory.tenants()])
        for state in ("accrued", "minting", "minted", "debt"):
            self._units.labels(state).set(getattr(totals, state))
        self._minting.set(totals.entries_minting)
        self._oldest.set(totals.oldest_minting_s)
        self._parked.set(totals.parked)
