"""Requests, compared with what was asked for."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.mint.domain.request import RequestStatus
from app.platform.postgres.facts import Facts, merged
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import rows
from app.platform.postgres.pipeline import Row

ASKED: Final = "rewards.requests"
"""What the ledger of cashback tells: request, its newest line's kind, and the amount."""
ENDS: Final = {"MINTED": RequestStatus.MINTED, "MINT_FAILED": RequestStatus.FAILED}
"""By what the ledger says of a request's end, what the request has to be."""
_OF_A_TENANT: Final = """
    SELECT request_id, status, amount::text FROM mint.mint_requests WHERE for_tenant = %(tenant)s ORDER BY request_id
"""


@dataclass(frozen=True, slots=True)
class RequestsAreAskedFor:
    """Requests, and the ledger's lines of them. The ledger is read in between: what was a request before it stands
    there, and what it says was so behind."""

    before: Session
    after: Session
    facts: Facts
    name: str = "requests_and_cashback_agree"
    claim: str = "every request is one of the ledger's, of its amount, and ended as the ledger says"

    async def offenders(self) -> AsyncIterator[str]:
        """Requests that the ledger contradicts."""
        if ASKED not in self.facts.told:
            return
        for tenant in await self.facts.tenants():
            known = {"tenant": tenant}
            before, after = (rows(each, _OF_A_TENANT, known) for each in (self.before, self.after))
            async for request_id, sides in merged(before, after, self.facts.of(tenant, ASKED)):
                if offence := _offence(*sides):
                    yield f"request {request_id} {offence}"


def _offence(before: Sequence[Row], after: Sequence[Row], asked: Sequence[Row]) -> str | None:
    if not asked:
        return f"is {before[0][1]}, and no line of the ledger asks for it" if before else None
    _, kind, amount = asked[0]
    status = after[0][1] if after else None
    if kind in ENDS and status != ENDS[kind]:
        return f"is {status or 'unknown'}, and the ledger says {kind}"
    if after and int(after[0][2]) != amount:
        return f"is for {after[0][2]}, and the ledger has {amount}"
    return None
