"""Metrics of reconciliation: what nobody has looked into yet, and how far days are closed."""

from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, Gauge

from app.contexts.reconciliation.application.figures import Figures
from app.platform.people import Directory


class Unresolved:
    """What waits to be looked into, the same whichever process is asked."""

    def __init__(self, figures: Figures, directory: Directory, registry: CollectorRegistry) -> None:
        self._figures = figures
        self._directory = directory
        self._findings, self._days, self._reconciled = (
            Gauge(name, what, ("tenant",), registry=registry, multiprocess_mode="livemostrecent")
            for name, what in (
                ("strongbox_reconciliation_findings_unresolved", "Findings that nobody has resolved."),
                ("strongbox_reconciliation_dates_unresolved", "Days with such findings."),
                (
                    "strongbox_reconciliation_reconciled_until_timestamp_seconds",
                    "The end of the last day of which a report was compared; 0 before the first.",
                ),
            )
        )

    async def look(self) -> None:
        """Look."""
        houses = await self._directory.tenants()
        totals = await self._figures.totals([house.tenant_id for house in houses])
        for house in houses:
            unresolved, days, last = totals[house.tenant_id]
            name = house.name or str(house.tenant_id)
            self._findings.labels(name).set(unresolved)
            self._days.labels(name).set(days)
            ends = 0.0 if last is None else datetime.combine(last, time.max, UTC).timestamp()
            self._reconciled.labels(name).set(ends)
