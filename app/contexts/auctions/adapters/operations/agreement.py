"""Auctions, compared with what funds tell of holds.

What they tell was read between two snapshots of the auctions: what is the same in both was so meanwhile.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.auctions.domain.intent import CONTEXT
from app.platform.postgres.facts import Facts, merged, rows_of
from app.platform.postgres.inspection import Session
from app.platform.postgres.pipeline import Row

_LEADS: Final = "leads"
_HOLDS: Final = """
    SELECT leader_hold_id AS hold_id, id, CASE status WHEN 'open' THEN 'leads' ELSE 'is being closed' END, leader_max
    FROM auctions.auctions WHERE leader_hold_id IS NOT NULL AND status IN ('open', 'closing')
    UNION ALL
    SELECT winner_hold_id, id, 'has won', sold_price FROM auctions.auctions WHERE winner_hold_id IS NOT NULL
    UNION ALL
    SELECT hold_id, auction_id, 'goes back', 0 FROM auctions.returns
    ORDER BY hold_id
"""
_INTENTS: Final = "SELECT id FROM auctions.intents"
# A bid that began a moment ago may have come and gone between the snapshots.
_SETTLED: Final = "SELECT now() - interval '5 seconds'"


class _Hold(NamedTuple):
    id: UUID
    context: str
    business_id: UUID
    status: str
    amount: int
    captured: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LeadersAndHoldsAgree:
    """Holds, and what they are for, in the order of the holds' ids."""

    before: Session
    after: Session
    facts: Facts
    name: str = "leaders_and_holds_agree"
    claim: str = "whoever leads an auction has an open hold of their maximum at the least, and nobody else has one"

    async def offenders(self) -> AsyncIterator[str]:
        """Leaders without enough of a hold, and holds for nothing."""
        for tenant in await self.facts.tenants():
            ((settled,),) = [row async for row in rows_of(self.before, tenant, _SETTLED)]
            intents = {id_ async for (id_,) in rows_of(self.before, tenant, _INTENTS)}
            sides = merged(
                rows_of(self.before, tenant, _HOLDS),
                rows_of(self.after, tenant, _HOLDS),
                self.facts.of(tenant, "funds.holds"),
            )
            async for hold_id, (were, are, holds) in sides:
                hold = _Hold._make(holds[0]) if holds else None
                for row in are if were == are else ():
                    if offence := _of_a_leader(row, hold):
                        yield f"auction {row[1]}: hold {hold_id} of its leader {offence}"
                if hold and not (were or are) and _is_for_nothing(hold, intents, settled):
                    yield f"hold {hold_id} of bid {hold.business_id} is open for nothing"


def _of_a_leader(row: Row, hold: _Hold | None) -> str | None:
    _, _, what, max_minor = row
    if what != _LEADS:
        return None
    if hold is None:
        return "is not there"
    if hold.status != "OPEN" or hold.amount < max_minor:
        return f"is {hold.status} with {hold.amount} of {max_minor}"
    return None


def _is_for_nothing(hold: _Hold, intents: Collection[object], settled: datetime) -> bool:
    is_open = hold.context == CONTEXT and hold.status == "OPEN"
    return is_open and hold.business_id not in intents and hold.created_at < settled
