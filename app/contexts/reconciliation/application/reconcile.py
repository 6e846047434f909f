"""Comparing the gateway's report of a day with the books."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from app.contexts.reconciliation.application.ports import Books, GatewayReports, NewRun
from app.contexts.reconciliation.domain.ids import ReconciliationId
from app.contexts.reconciliation.domain.refusals import NotAReport
from app.contexts.reconciliation.domain.report import Report
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.tenants import TenantOfKeys

ChooseDay = Callable[[date], date]
"""Says which day it is about, told which one it is today."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Reads, compares and tells. It never moves money."""

    books: Books
    reports: GatewayReports
    tenant_of_keys: TenantOfKeys
    new_id: Callable[[], UUID]

    async def given(self, tenant_id: TenantId, choose: ChooseDay | None, report: Report) -> Reconciliation:
        """Compare a report that is at hand. Where nobody chooses a day it is that of its first line.

        Raises:
            NotAReport: it is none, or its day is still to come. Nothing of it is kept.
            Unavailable: the database is out of reach.
        """
        day = _chosen(choose or _always(report.day), await self.books.now())
        return await self._compare(tenant_id, day, report, None)

    async def asked(self, tenant_id: TenantId, choose: ChooseDay) -> Reconciliation:
        """Compare the report that the gateway serves.

        Raises:
            NotAReport: the day is still to come, or the gateway serves no report of it. Nothing of it is kept.
            Unavailable: database or gateway are out of reach.
        """
        now = await self.books.now()
        day = _chosen(choose, now)
        async with self.reports.of(day) as pieces:
            return await self._compare(tenant_id, day, Report(pieces), now)

    async def _compare(
        self, tenant_id: TenantId, day: date, report: Report, asked_at: datetime | None
    ) -> Reconciliation:
        run = NewRun(
            id=ReconciliationId(self.new_id()),
            event_id=EventId(self.new_id()),
            tenant_id=tenant_id,
            date=day,
            keeps_keys=await self.tenant_of_keys() == tenant_id,
            asked_at=asked_at,
        )
        return await self.books.compare(run, report.pieces)


def _chosen(choose: ChooseDay, now: datetime) -> date:
    today = now.astimezone(UTC).date()
    if (day := choose(today)) > today:
        raise NotAReport("date", "is still to come")
    return day


def _always(day: date) -> ChooseDay:
    return lambda _: day
