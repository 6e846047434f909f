"""What was earned at once, where it stands, and the lines of the ledger that say how it came there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from app.contexts.rewards.domain.ids import EntryId, LineId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.sale import Source
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


class Kind(StrEnum):
    """What a line says: something was earned, or taken back; a debt was paid with it; it is being minted, was, or could
    not be."""

    EARNED = "EARNED"
    REVERSED = "REVERSED"
    OFFSET = "OFFSET"
    MINTING = "MINTING"
    MINTED = "MINTED"
    MINT_FAILED = "MINT_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a purchase has earned, in base units. Of the amount some is accrued, being minted, or minted; the rest has
    paid debts or was taken back."""

    id: EntryId
    tenant_id: TenantId
    user_id: UserId
    purchase_id: PurchaseId
    rule_id: RuleId
    source: Source
    merchant: str
    reference: str
    amount: int
    accrued: int
    minting: int = 0
    minted: int = 0
    reversed: int = 0
    """What of the amount was taken back, wherever it was by then."""
    attempt: int = 0
    """Of the newest request that it be minted: the first is 1."""
    told: int = 0
    """How many events there are of it."""
    created_at: datetime

    @property
    def status(self) -> Kind:
        """Where most of it is."""
        if self.minting:
            return Kind.MINTING
        if self.minted:
            return Kind.MINTED
        if self.accrued:
            return Kind.EARNED
        return Kind.REVERSED if self.reversed else Kind.OFFSET

    @property
    def request_id(self) -> UUID:
        """Of the newest request."""
        return request_of(self.id, self.attempt)

    def has_asked(self, request_id: UUID) -> bool:
        """Whether that is one of its requests."""
        return any(request_id == request_of(self.id, attempt) for attempt in range(self.attempt, 0, -1))


def request_of(entry_id: EntryId, attempt: int) -> UUID:
    """What the attempt to mint what was earned is known by, to whoever mints."""
    return uuid5(entry_id, str(attempt))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the ledger, about an entry. Amounts are base units, above 0."""

    id: LineId
    entry_id: EntryId
    kind: Kind
    amount: int
    at: datetime
    owed: int = 0
    """Of what is taken back, what was not there any more: a debt from then on."""
    refund_id: RefundId | None = None
    request_id: UUID | None = None
    tx_hash: str | None = None
    reason: str | None = None
