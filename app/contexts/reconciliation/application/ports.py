"""What reconciliation needs of the outside."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from app.contexts.reconciliation.domain.finding import Finding, Kind
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.contexts.reconciliation.domain.run import Reconciliation
from app.kernel.ids import EventId
from app.kernel.principal import TenantId


class Place(NamedTuple):
    """Where a page of runs ends: at the one of that time and id."""

    at: datetime
    id: ReconciliationId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is asked for. `event_id` is that of the news of it.

    `keeps_keys`: what has no tenant is this tenant's, who has given out API_KEYS. `asked_at` is when the gateway was
    asked for the report, if it was: what became final since is left for another run.
    """

    id: ReconciliationId
    event_id: EventId
    tenant_id: TenantId
    date: date
    keeps_keys: bool
    asked_at: datetime | None = None


class Books(Protocol):
    """The database with payments and runs. All raise `Unavailable` while it is out of reach, or takes no work."""

    async def now(self) -> datetime:
        """What its clock says."""
        ...

    async def compare(self, asked: NewRun, report: Iterator[bytes]) -> Reconciliation:
        """Compare the report with the books as they are at one moment, and keep what came of it; or the run that has
        compared these bytes already. All of it is kept, or nothing.

        Raises:
            NotAReport: a line is none of a report.
        """
        ...


class Runs(Protocol):
    """Runs and findings of a tenant, as they are read. All raise `Unavailable` while the database is out of reach."""

    async def page(self, tenant_id: TenantId, before: Place | None, limit: int) -> Sequence[Reconciliation]:
        """Up to so many runs, newest first, older than the one at the place."""
        ...

    async def days(self, tenant_id: TenantId, begins: date, ends: date) -> Sequence[Reconciliation]:
        """A run of each day between the two (`ends` not included) that has any, by day: the newest with something
        unresolved, else the newest. Its `unresolved` is of all runs of the day.
        """
        ...

    async def one(self, tenant_id: TenantId, run_id: ReconciliationId) -> Reconciliation | None:
        """The run; None where the tenant has none of that id."""
        ...

    async def findings(
        self, tenant_id: TenantId, run_id: ReconciliationId, kind: Kind | None, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """Up to so many findings of the run behind that one, of the kind or of all, by kind and in it by line."""
        ...


class Resolutions(Protocol):
    """What was said of findings. Both raise `Unavailable` while the database is out of reach."""

    async def finding(self, tenant_id: TenantId, finding_id: FindingId) -> Finding | None:
        """The finding; None where the tenant has none of that id."""
        ...

    async def resolve(self, tenant_id: TenantId, finding_id: FindingId, note: str) -> Finding | None:
        """Note that it is resolved. Of one that was, the note is replaced."""
        ...


class GatewayReports(Protocol):
    """The gateway's reports."""

    def of(self, day: date) -> AbstractAsyncContextManager[Iterator[bytes]]:
        """The report of the day, read to its end and kept while the block lasts.

        Raises:
            Unavailable: the gateway does not answer, or not to its end.
            NotAReport: it serves none of that day.
        """
        ...
