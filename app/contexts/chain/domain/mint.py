"""A mint: tokens that are to be on the chain for a request, once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

MOST: Final = 2**256 - 1
"""The largest amount that a contract can count, in base units."""


class MintStatus(StrEnum):
    """How far a mint is. The last two are final."""

    SIGNED = "SIGNED"
    """Its transaction is kept; whether the node has it is not known."""
    BROADCAST = "BROADCAST"
    """A node took it."""
    MINED = "MINED"
    """It is in a block that the chain may still take back."""
    CONFIRMED = "CONFIRMED"
    """The contract's event lies as deep as was asked for."""
    FAILED = "FAILED"
    """The contract refused it, as deep; or it was refused before anything was signed."""

    @property
    def is_final(self) -> bool:
        """Whether it stays so."""
        return self in (MintStatus.CONFIRMED, MintStatus.FAILED)


@dataclass(frozen=True, slots=True)
class MintOrder:
    """What is asked for: `amount` base units for the address, `0x` and 40 lower-case hexadecimal digits."""

    request_id: UUID
    to: str
    amount: int


@dataclass(frozen=True, slots=True)
class Mint:
    """What became of an order. `tx_hash` is that of its transaction: once it is mined of the one that was, whoever
    sent it; None where nothing was signed. `failure` says in one word why it FAILED."""

    order: MintOrder
    status: MintStatus
    tx_hash: str | None
    failure: str | None = None
