"""What was confirmed, compared with the contract, and with what was asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.chain.adapters.postgres.invariants import MINTS, SUMS
from app.contexts.chain.domain.mint import MintStatus
from app.platform.postgres.facts import Facts, merged
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import rows
from app.platform.postgres.pipeline import Row

ASKED: Final = "mint.requests"
"""What minting tells: request, status, address, amount and hash."""


@dataclass(frozen=True, slots=True)
class SupplyIsConfirmed:
    """The contract is asked before what is kept is read, and behind it: what it had before was kept by then, and what
    was confirmed by then it has behind."""

    kept: Session
    before: int
    supply: Callable[[], Awaitable[int]]
    name: str = "supply_is_what_was_confirmed"
    claim: str = "there are as many tokens as mints have confirmed, those under way aside"

    async def offenders(self) -> AsyncIterator[str]:
        """What does not add up."""
        sums = [row async for row in rows(self.kept, SUMS)]
        confirmed, open_ = map(int, sums[0])
        behind = await self.supply()
        if confirmed > behind:
            yield f"{confirmed} base units are confirmed, and the contract has {behind}"
        if self.before > confirmed + open_:
            yield f"the contract has {self.before} base units, {confirmed} are confirmed and {open_} under way"


@dataclass(frozen=True, slots=True)
class MintsAreAskedFor:
    """Mints, and requests for them, in the order of the requests. A mint that was the same before these were read and
    behind was so meanwhile."""

    before: Session
    after: Session
    facts: Facts
    name: str = "mints_and_requests_agree"
    claim: str = "what is minted was confirmed with this address and amount, and what was signed was asked for"

    async def offenders(self) -> AsyncIterator[str]:
        """Mints and requests that contradict each other."""
        tenants = await self.facts.tenants()
        if not tenants or ASKED not in self.facts.told:
            return
        # Requests are no tenant's in this comparison: any of them sees them all.
        sides = merged(rows(self.before, MINTS), rows(self.after, MINTS), self.facts.of(tenants[0], ASKED))
        async for request_id, (were, are, asked) in sides:
            if were == are and (offence := _offence(are, asked)):
                yield f"request {request_id} {offence}"


def _offence(mints: Sequence[Row], requests: Sequence[Row]) -> str | None:
    mint = mints[0] if mints else None
    if not requests:
        return None if mint is None else f"is {mint[1]} on the chain, and nobody has asked for it"
    _, status, address, amount, tx_hash = requests[0]
    is_confirmed = mint is not None and mint[1] == MintStatus.CONFIRMED
    if status == "MINTED" and not is_confirmed:
        return f"is MINTED, and {mint[1] if mint else 'unknown'} on the chain"
    if status == "FAILED" and mint is not None and mint[1] != MintStatus.FAILED:
        return f"has FAILED, and is {mint[1]} on the chain"
    if mint is not None and (mint[2], mint[3]) != (address.lower(), amount):
        return f"is for {amount} to {address}, and on the chain for {mint[3]} to {mint[2]}"
    if status == "MINTED" and mint is not None and mint[4] != tx_hash:
        return f"is MINTED by {tx_hash}, and on the chain by {mint[4]}"
    return None
