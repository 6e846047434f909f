"""Metrics of the stock: what is reserved for long, what does not add up, and what the cache has yet to forget."""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from app.contexts.catalog.application.watch_stock import UnsettledStock
from app.platform.people import Directory

LOOK_EVERY_S: Final = 10.0
"""All that is reserved is added up for it."""


class StockWatch:
    """What is unsettled of the stock, the same whichever process is asked."""

    def __init__(self, stock: UnsettledStock, directory: Directory, registry: CollectorRegistry) -> None:
        self._stock = stock
        self._directory = directory
        self._next = 0.0
        self._reserved, self._oldest_reserved, self._disagreeing, self._notes, self._oldest_note = (
            Gauge(name, what, registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_reservations", "Lines of reservations that are neither taken nor given back, nor pinned."),
                ("strongbox_reservations_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
                ("strongbox_stock_disagreements", "Products that are reserved otherwise than their reservations say."),
                ("strongbox_cache_deletions", "Notes of what the cache has to forget, and has not confirmed."),
                ("strongbox_cache_deletions_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
            )
        )

    async def look(self) -> None:
        """Look, unless that was a moment ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_EVERY_S
        found = await self._stock.unsettled([house.tenant_id for house in await self._directory.tenants()])
        self._reserved.set(found.reserved)
        self._oldest_reserved.set(found.oldest_reserved_s)
        self._disagreeing.set(found.disagreeing)
        self._notes.set(found.notes)
        self._oldest_note.set(found.oldest_note_s)
