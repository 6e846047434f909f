"""Transactions that were signed for mints, and what the chain tells of them."""

from dataclasses import dataclass
from uuid import UUID

from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.domain.mint import MintOrder, MintStatus


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction, signed with a key's nonce: its bytes are all that a node needs."""

    sender: str
    nonce: int
    raw: bytes
    tx_hash: str
    fees: Fees


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a transaction landed."""

    tx_hash: str
    block: int


@dataclass(frozen=True, slots=True)
class Minted:
    """The contract's event: so much was minted for the request, by whoever's transaction."""

    order: MintOrder
    landing: Landing


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction of ours that is in a block, and whether the contract did what it asked for."""

    landing: Landing
    succeeded: bool


@dataclass(frozen=True, slots=True)
class OpenMint:
    """A mint that is not final: its transaction, and the hashes of those that were signed for it before."""

    order: MintOrder
    status: MintStatus
    signed: Signed
    earlier: tuple[str, ...]
    landing: Landing | None
    signed_s_ago: float
    broadcast_s_ago: float | None
    """None where no node has taken it yet."""

    @property
    def hashes(self) -> tuple[str, ...]:
        """All that may land."""
        return (self.signed.tx_hash, *self.earlier)


@dataclass(frozen=True, slots=True)
class Change:
    """How far a mint is now."""

    request_id: UUID
    status: MintStatus
    landing: Landing | None = None
    failure: str | None = None
