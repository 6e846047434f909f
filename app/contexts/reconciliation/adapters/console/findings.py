"""GET /reconciliation/{tenant}/{run}, POST …/{finding}/resolve: a run, and what is to be done about what it found."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.reconciliation.application.advice import advice
from app.contexts.reconciliation.application.read_runs import ReadRuns
from app.contexts.reconciliation.application.resolve_finding import MOST_OF_A_NOTE, ResolveFinding
from app.contexts.reconciliation.domain.finding import Kind
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import one_of, uuid_of, visit_of
from app.platform.http import queries
from app.platform.tenants import KnownTenants

PAGE: Final = 50
_KNOWN: Final = frozenset(("kind", "after"))


def findings(read: ReadRuns, resolve: ResolveFinding, tenants: KnownTenants, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """A run with its findings, and resolving them."""

    @get("/reconciliation/{tenant:str}/{run:str}")
    async def of_run(request: Request[Any, Any, Any], tenant: FromPath[str], run: FromPath[str]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _KNOWN)
        house, run_id = await tenants.called(tenant), ReconciliationId(uuid_of(run, "a run's id"))
        kind = Kind(one_of(given["kind"], "the kind", [*Kind])) if given.get("kind") else None
        after = FindingId(uuid_of(given["after"], "after")) if given.get("after") else None
        page = await read.findings(house.tenant_id, run_id, kind, after, PAGE)
        return desk.pages.page(
            "reconciliation_run.html", visit_of(request), tenant=house, run=page.run, findings=page.findings,
            kinds=[*Kind], kind=kind, first=after is None, next=page.next, advice=advice, most=MOST_OF_A_NOTE,
        )  # fmt: skip

    @post("/reconciliation/{tenant:str}/{run:str}/{finding:str}/resolve")
    async def resolved(
        request: Request[Any, Any, Any], tenant: FromPath[str], run: FromPath[str], finding: FromPath[str]
    ) -> ASGIApp:
        visit, house, run_id = visit_of(request), await tenants.called(tenant), uuid_of(run, "a run's id")
        note = visit.value("note")
        if not 1 <= len(note) <= MOST_OF_A_NOTE:
            raise Rejected(400, f"the note must have 1 to {MOST_OF_A_NOTE} characters")
        record = desk.services.record_of(visit.operator)
        await resolve(record, house.tenant_id, FindingId(uuid_of(finding, "a finding's id")), note)
        return redirect(f"/reconciliation/{quote(house.name)}/{run_id}")

    return [of_run, resolved]
