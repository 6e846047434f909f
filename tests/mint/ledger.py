"""A chain in memory: it implements `Chain`, and does what a test wants it to."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from uuid import UUID

from app.contexts.chain.public import ChainAway, InvalidMint, Mint, MintOrder, MintStatus, RequestReused, UnknownAnswer


@dataclass
class Ledger:
    """Mints by their requests, and who asked for what. `confirms` at once where it is not told to wait."""

    mints: dict[UUID, Mint] = field(default_factory=dict)
    calls: list[tuple[str, UUID]] = field(default_factory=list)
    is_away: bool = False
    loses_answers: bool = False
    """It signs what it is asked for, and its answer gets lost."""
    loses_questions: bool = False
    """What it is asked for is lost before it gets there, and nobody is told."""
    confirms: bool = True
    refuses: InvalidMint | None = None

    async def mint(self, order: MintOrder, timeout_s: float) -> Mint:
        """See `Chain.mint`."""
        self._reached("mint", order.request_id)
        if self.refuses:
            raise self.refuses
        if self.loses_questions:
            raise UnknownAnswer("lost on the way")
        known = self.mints.setdefault(order.request_id, Mint(order, MintStatus.BROADCAST, hash_of(order)))
        if known.order != order:
            raise RequestReused
        if self.loses_answers:
            raise UnknownAnswer("lost on the way back")
        return known

    async def get_mint(self, request_id: UUID, timeout_s: float) -> Mint | None:
        """See `Chain.get_mint`."""
        self._reached("get_mint", request_id)
        if self.confirms and request_id in self.mints and not self.mints[request_id].status.is_final:
            self.becomes(request_id, MintStatus.CONFIRMED)
        return self.mints.get(request_id)

    async def balance(self, address: str, timeout_s: float) -> int:
        """See `Chain.balance`."""
        if self.is_away:
            raise ChainAway("away")
        return sum(
            mint.order.amount
            for mint in self.mints.values()
            if mint.status is MintStatus.CONFIRMED and mint.order.to == address
        )

    def becomes(self, request_id: UUID, status: MintStatus, failure: str | None = None) -> None:
        """Have a mint be where a test wants it."""
        self.mints[request_id] = replace(self.mints[request_id], status=status, failure=failure)

    def asked(self, call: str) -> int:
        """How often that was called."""
        return sum(name == call for name, _ in self.calls)

    def _reached(self, call: str, request_id: UUID) -> None:
        self.calls.append((call, request_id))
        if self.is_away:
            raise ChainAway("away")


def hash_of(order: MintOrder) -> str:
    """A transaction's hash."""
    return f"0x{sha256(order.request_id.bytes).hexdigest()}"
