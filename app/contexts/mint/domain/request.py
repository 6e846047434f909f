"""A request for tokens: what was asked for, how far it is, and what the chain's answers make of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.contexts.chain.public import Mint, MintOrder, MintStatus
from app.kernel.principal import TenantId

REUSED: Final = "REQUEST_REUSED"
"""The reason of a request whose id the chain knows with another address or amount."""


class RequestStatus(StrEnum):
    """How far a request is. The last two are final."""

    REQUESTED = "REQUESTED"
    """It is noted. Whether the chain was asked for it is not known."""
    SUBMITTED = "SUBMITTED"
    """The chain's adapter has it."""
    MINTED = "MINTED"
    """The tokens are on the chain, confirmed."""
    FAILED = "FAILED"
    """They will never be."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in (RequestStatus.MINTED, RequestStatus.FAILED)


@dataclass(frozen=True, slots=True)
class MintRequest:
    """What somebody asked for: `amount` base units for the address, `0x` and 40 lower-case hexadecimal digits.

    `place` counts the requests for the entry, from 1 on.
    """

    id: UUID
    entry_id: UUID
    user_id: UUID
    tenant_id: TenantId | None
    address: str
    amount: int
    status: RequestStatus = RequestStatus.REQUESTED
    place: int = 1
    traceparent: str | None = None

    @property
    def order(self) -> MintOrder:
        """What the chain is asked for."""
        return MintOrder(self.id, self.address, self.amount)

    def is_like(self, other: "MintRequest") -> bool:
        """Whether the other asks for the same."""
        return (self.entry_id, self.user_id, self.address, self.amount) == (
            other.entry_id,
            other.user_id,
            other.address,
            other.amount,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a request stands by what the chain says; `status` is None where it said nothing."""

    request: MintRequest
    status: RequestStatus | None
    tx_hash: str | None = None
    reason: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status is not None and self.status.is_final


def outcome_of(request: MintRequest, mint: Mint) -> Outcome:
    """What the chain's answer makes of the request. MINTED follows CONFIRMED alone."""
    if mint.order != request.order:
        return refused(request, REUSED)
    match mint.status:
        case MintStatus.CONFIRMED:
            return Outcome(request, RequestStatus.MINTED, mint.tx_hash)
        case MintStatus.FAILED:
            return refused(request, mint.failure or "FAILED", mint.tx_hash)
        case _:
            return Outcome(request, RequestStatus.SUBMITTED, mint.tx_hash)


def refused(request: MintRequest, reason: str, tx_hash: str | None = None) -> Outcome:
    """It will never be, for that reason."""
    return Outcome(request, RequestStatus.FAILED, tx_hash, reason)
