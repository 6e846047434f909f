"""GET /v1/reconciliations/{id}/findings, POST /v1/reconciliations/findings/{id}/resolve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from msgspec import json

from app.contexts.reconciliation.adapters.http.bodies import NOTE_BODY
from app.contexts.reconciliation.adapters.http.errors import NO_SUCH_FINDING, NO_SUCH_RUN
from app.contexts.reconciliation.adapters.http.examples import FINDING as EXAMPLE
from app.contexts.reconciliation.adapters.http.examples import RESOLVED
from app.contexts.reconciliation.adapters.http.parameters import FINDING, KIND, RUN
from app.contexts.reconciliation.adapters.http.runs import ALL, READERS, TAG
from app.contexts.reconciliation.adapters.http.views import FindingsView, FindingView, finding_view
from app.contexts.reconciliation.application.read_runs import ReadRuns
from app.contexts.reconciliation.application.resolve_finding import ResolveFinding
from app.contexts.reconciliation.domain.finding import Finding
from app.contexts.reconciliation.domain.ids import FindingId
from app.kernel.errors import Unavailable
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import ADMINS, BEARER, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import Reply
from app.platform.operations.actions import Actions, NotRecorded

_LIST, _RESOLVE = f"{ALL}/{{id}}/findings", f"{ALL}/findings/{{id}}/resolve"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The handlers, with what they need. `record_of` is the record of what somebody does here."""

    read: ReadRuns
    resolve: ResolveFinding
    record_of: Callable[[str], Actions]
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of findings."""
        several = Operation(
            method="GET",
            template=_LIST,
            name="listFindings",
            tag=TAG,
            summary="Read what does not fit between a report and the books",
            who=BEARER,
            access=READERS,
            handler=self.list_findings,
            parameters=(RUN, KIND, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(NO_SUCH_RUN, codes.UNAVAILABLE),
        )
        resolve = Operation(
            method="POST",
            template=_RESOLVE,
            name="resolveFinding",
            tag=TAG,
            summary="Note what a finding was about",
            description="It counts as resolved from then on. A second note takes the place of the first; both are in "
            "`audit.actions`.",
            who=BEARER,
            access=ADMINS,
            handler=self.resolve_finding,
            parameters=(FINDING,),
            body=NOTE_BODY,
            successes=(_RESOLVED,),
            refusals=(NO_SUCH_FINDING, codes.UNAVAILABLE),
        )
        return [several, resolve]

    async def list_findings(self, request: Request) -> Reply:
        """A page of them."""
        asker, run_id, kind, cursor = request.asker, request[RUN], request[KIND], request[CURSOR]
        of = (_LIST, str(run_id), kind or "")
        after = None if cursor is None else FindingId(queries.position_of(asker.id, cursor, *of)[1])
        reading = self.read.findings(asker.tenant_id, run_id, kind, after, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        place = None if page.next is None else (page.run.created_at, UUID(int=page.next.int))
        following = place and queries.to_cursor(asker.id, place, *of)
        return Reply(200, _encode(FindingsView([*map(finding_view, page.findings)], following)))

    async def resolve_finding(self, request: Request) -> Reply:
        """Resolve one."""
        finding = await finished(self.http, self._resolved(request))
        return Reply(200, _encode(finding_view(finding)))

    async def _resolved(self, request: Request) -> Finding:
        asker = request.asker
        try:
            return await self.resolve(
                self.record_of(f"user {asker.id}"), asker.tenant_id, request[FINDING], request[NOTE_BODY].note
            )
        except NotRecorded as error:
            raise Unavailable(str(error)) from error


_PAGE: Final = Success(
    status=200,
    description="A page, by kind and in it by line.",
    type=FindingsView,
    example={"findings": [EXAMPLE], "next_cursor": None},
)
_RESOLVED: Final = Success(status=200, description="The finding, resolved.", type=FindingView, example=RESOLVED)
