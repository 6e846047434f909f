"""The stock as it is reserved and handed out: a batch is one transaction over one tenant's rows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.offer import ReservedLine
from app.contexts.catalog.domain.pile import Pile
from app.contexts.catalog.domain.refusals import OutOfStock, ReservationForbidden, ReservationReused
from app.contexts.catalog.domain.reservation import LineStatus, Reservation
from app.contexts.catalog.public import Reserved
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

Happened = Reserved | OutOfStock | ReservationForbidden
"""What became of an operation."""
Outcome = Happened | ReservationReused
"""What whoever asks for one gets."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an operation that was asked for, or forbidden, before. A forbidden one has no fingerprint."""

    fingerprint: bytes | None
    outcome: Happened


@dataclass(slots=True)
class StandingLine:
    """Pieces of a reservation that was made."""

    qty: int
    status: LineStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """A reservation that was made, locked."""

    buyer: UserId | None
    lines: Mapping[ProductId, StandingLine]


@dataclass(frozen=True, slots=True)
class Found:
    """The state that a work meets, locked until it ends: records of operations that were asked for, or forbidden,
    before (those without one are the work's own), reservations that are to be settled, and the piles of all of them."""

    records: Mapping[OperationId, Record]
    reservations: Mapping[OperationId, Standing]
    piles: Mapping[ProductId, Pile]


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one."""

    piles: Sequence[Pile] = ()
    """Those that moved, as they are behind it all."""
    lines: list[tuple[OperationId, ReservedLine]] = field(default_factory=list)
    refusals: dict[OperationId, OutOfStock] = field(default_factory=dict)
    statuses: dict[tuple[OperationId, ProductId], LineStatus] = field(default_factory=dict)
    purchases: Counter[tuple[UserId, ProductId]] = field(default_factory=Counter)
    """How many times more somebody has bought something; fewer, where it came back."""


class StockWork(Protocol):
    """One transaction. What it locks it locks in one order everywhere: reservations, then products, each by its key."""

    async def find(self, reservations: Sequence[Reservation], operations: Collection[OperationId]) -> Found:
        """Claim the operations of the reservations, lock what was reserved by the others, each there once, and the
        products of both."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class StockRoom(Protocol):
    """The stock of all tenants."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[StockWork]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...


class Prohibitions(Protocol):
    """The operations, as those who forbid them have them."""

    async def forbid(self, tenant_id: TenantId, operations: Sequence[OperationId]) -> Mapping[OperationId, Record]:
        """Forbid those that have not happened, waiting for those under way; what stands of each, committed."""
        ...
