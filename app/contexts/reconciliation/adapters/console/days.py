"""GET /reconciliation: the days of a month as a calendar, each with what came of it."""

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.contexts.reconciliation.application.ports import Runs
from app.contexts.reconciliation.domain.run import Reconciliation
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.visit import visit_of
from app.platform.http import queries
from app.platform.tenants import DEFAULT, KnownTenants

_KNOWN: Final = frozenset(("tenant", "month"))
_WEEKS: Final = Calendar()  # which begin with Monday
_FIRST_YEAR, _LAST_YEAR = 2000, 9998


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar, the run of it to look at if there is one (see `Runs.days`), and its state in a word."""

    date: date
    run: Reconciliation | None
    state: str


def days(runs: Runs, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The calendar."""

    @get("/reconciliation")
    async def of_month(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _KNOWN)
        tenant = await tenants.called(given.get("tenant") or DEFAULT)
        today = datetime.now(UTC).date()
        first = _month(given.get("month")) or today.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        found = {run.date: run for run in await runs.days(tenant.tenant_id, first, following)}
        return desk.pages.page(
            "reconciliation_days.html", visit_of(request), tenant=tenant, tenants=await tenants.all(), month=first,
            weeks=_weeks(first, found, today), before=(first - timedelta(days=1)).replace(day=1), following=following,
        )  # fmt: skip

    return [of_month]


def _weeks(first: date, found: Mapping[date, Reconciliation], today: date) -> Sequence[Sequence[Day | None]]:
    """The month's days in weeks; None beside them."""

    def shown(day: date) -> Day | None:
        return Day(day, found.get(day), state(found.get(day), day, today)) if day.month == first.month else None

    weeks = _WEEKS.monthdatescalendar(first.year, first.month)
    return [[shown(day) for day in week] for week in weeks]


def state(run: Reconciliation | None, day: date, today: date) -> str:
    """How a day stands, in a word."""
    if run is None:
        return "to come" if day >= today else "open"
    if run.unresolved:
        return "findings"
    return "closed" if day < today else "so far"


def _month(text: str | None) -> date | None:
    if not text:
        return None
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = date.min
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise Rejected(400, "the month must be like 2026-01")
    return first
