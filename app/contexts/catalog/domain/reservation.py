"""Reservations: what another context asks for of the stock, each of which happens once, or never will."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from app.contexts.catalog.domain.offer import Line
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

MOST_PIECES: Final = 2**63 - 1
"""The largest number of pieces: what a PostgreSQL bigint holds."""


class LineStatus(StrEnum):
    """Where a line stands: RESERVED → TAKEN, and either of them → RETURNED, which is final."""

    RESERVED = "RESERVED"
    TAKEN = "TAKEN"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is to be reserved, all of it or none. Without a buyer nobody has bought it once it is taken.

    Raises:
        ValueError: no line, a line of nothing, or two of one product.
    """

    operation: OperationId
    tenant_id: TenantId
    buyer: UserId | None
    lines: tuple[Line, ...]
    pinned: bool = False

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("a reservation is of something")
        if not all(1 <= line.qty <= MOST_PIECES for line in self.lines):
            raise ValueError(f"a line is of 1 to {MOST_PIECES} pieces")
        if len({line.product_id for line in self.lines}) < len(self.lines):
            raise ValueError("a reservation has one line of a product")

    @property
    def fingerprint(self) -> bytes:
        """Another one for another content, in whatever order its lines come."""
        lines = sorted(f"{line.product_id} {line.qty}" for line in self.lines)
        return sha256("\n".join([str(self.buyer), str(self.pinned), *lines]).encode()).digest()
