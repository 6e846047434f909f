"""Metrics of auctions: what became of them, and what there is to be closed."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.auctions.application.board import Step
from app.contexts.auctions.application.clean_up import TakeStep
from app.contexts.auctions.application.close_due import Calendar
from app.contexts.auctions.application.closing_steps import Closed, Finish
from app.contexts.auctions.domain.auction import Auction, Closing
from app.platform.people import Directory

SOLD: Final = "sold"


class Overdue:
    """What there is to be closed, the same whichever process is asked."""

    def __init__(self, calendar: Calendar, directory: Directory, registry: CollectorRegistry) -> None:
        self._calendar = calendar
        self._directory = directory
        self._open, self._overdue, self._half_done, self._oldest = (
            Gauge(name, what, registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_open_auctions", "Auctions that are not over: scheduled, live, or being closed."),
                ("strongbox_auctions_overdue_seconds", "How long ago the end came of the one that waits longest."),
                ("strongbox_auctions_half_done", "Auctions that are being opened or closed."),
                ("strongbox_auctions_half_done_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
            )
        )

    async def look(self) -> None:
        """Look."""
        backlog = await self._calendar.backlog([house.tenant_id for house in await self._directory.tenants()])
        self._open.set(backlog.open)
        self._overdue.set(backlog.overdue_s)
        self._half_done.set(backlog.half_done)
        self._oldest.set(backlog.oldest_half_done_s)


def outcome_of(auction: Auction) -> str:
    """What became of an auction that is over."""
    match auction.closing:
        case Closing.BUY:
            return "bought"
        case Closing.CANCEL:
            return "cancelled"
        case _:
            return SOLD if auction.order_id else "unsold"


class CountedSteps:
    """Steps, with auctions counted that one of them finishes."""

    def __init__(self, take: TakeStep, registry: CollectorRegistry) -> None:
        self._take = take
        self._total = Counter(
            "strongbox_auctions",
            "Auctions that this process closed: sold, bought at once, unsold, cancelled.",
            ("outcome",),
            registry=registry,
        )
        self._total.labels(SOLD)  # is there before anything was sold: no line is not the same as nothing

    async def __call__(self, step: Step) -> object:
        result = await self._take(step)
        if isinstance(step, Finish) and isinstance(result, Closed) and result.is_first:
            self._total.labels(outcome_of(result.auction)).inc()
        return result
