"""POST and GET /v1/reconciliations, GET /v1/reconciliations/{id}."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import json

from app.contexts.reconciliation.adapters.http.bodies import REPORT_BODY
from app.contexts.reconciliation.adapters.http.errors import NO_CSV, NO_REPORT, NO_SUCH_RUN, TOO_LARGE
from app.contexts.reconciliation.adapters.http.examples import RUN as EXAMPLE
from app.contexts.reconciliation.adapters.http.parameters import DAY, RUN
from app.contexts.reconciliation.adapters.http.views import RunsView
from app.contexts.reconciliation.adapters.shapes import RunShape, run_shape
from app.contexts.reconciliation.application.ports import Place
from app.contexts.reconciliation.application.read_runs import ReadRuns
from app.contexts.reconciliation.application.reconcile import Reconcile
from app.contexts.reconciliation.domain.ids import ReconciliationId
from app.contexts.reconciliation.domain.report import Report
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import ADMINS, BEARER, Access, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import Reply

TAG: Final = "reconciliation"
READERS: Final = Access(frozenset({Role.ADMIN}), "finance:read")
ALL, _ONE = "/v1/reconciliations", "/v1/reconciliations/{id}"
_PIECE_BYTES: Final = 1 << 20

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The handlers, with what they need."""

    reconcile: Reconcile
    read: ReadRuns
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of runs."""
        several = Operation(
            method="GET",
            template=ALL,
            name="listReconciliations",
            tag=TAG,
            summary="Read which days were reconciled",
            who=BEARER,
            access=READERS,
            handler=self.list_runs,
            parameters=(LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(codes.UNAVAILABLE,),
        )
        one = Operation(
            method="GET",
            template=_ONE,
            name="getReconciliation",
            tag=TAG,
            summary="Read what came of a report",
            who=BEARER,
            access=READERS,
            handler=self.get_run,
            parameters=(RUN,),
            successes=(_FOUND,),
            refusals=(NO_SUCH_RUN, codes.UNAVAILABLE),
        )
        return [self._post(), several, one]

    def _post(self) -> Operation:
        return Operation(
            method="POST",
            template=ALL,
            name="reconcile",
            tag=TAG,
            summary="Compare the gateway's report of a day with the books",
            description="Lines of other tenants are left out. Nothing is changed but what reconciliation itself keeps: "
            "the same bytes of the same day again are the same run.",
            who=BEARER,
            access=ADMINS,
            handler=self.post_report,
            parameters=(DAY,),
            body=REPORT_BODY,
            successes=(_DONE,),
            refusals=(NO_REPORT, TOO_LARGE, NO_CSV, codes.UNAVAILABLE),
        )

    async def post_report(self, request: Request) -> Reply:
        """Compare one."""
        day, report = request[DAY], Report(_pieces(request[REPORT_BODY]))
        work = self.reconcile.given(request.asker.tenant_id, lambda _: day, report)
        return Reply(201, _encode(run_shape(await finished(self.http, work))))

    async def list_runs(self, request: Request) -> Reply:
        """A page of them."""
        asker, cursor = request.asker, request[CURSOR]
        before = None
        if cursor is not None:
            at, run_id = queries.position_of(asker.id, cursor, ALL)
            before = Place(at, ReconciliationId(run_id))
        reading = self.read.page(asker.tenant_id, before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(asker.id, page.next, ALL)
        return Reply(200, _encode(RunsView([*map(run_shape, page.runs)], following)))

    async def get_run(self, request: Request) -> Reply:
        """One."""
        reading = self.read.one(request.asker.tenant_id, request[RUN])
        return Reply(200, _encode(run_shape(await self.http.in_flight.read(reading, self.http.timeout_s))))


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + _PIECE_BYTES] for at in range(0, len(body), _PIECE_BYTES))


_DONE: Final = Success(status=201, description="What came of it.", type=RunShape, example=EXAMPLE)
_FOUND: Final = Success(status=200, description="What came of it.", type=RunShape, example=EXAMPLE)
_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=RunsView,
    example={"reconciliations": [EXAMPLE], "next_cursor": None},
)
