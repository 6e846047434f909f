"""The stock as other contexts have it: each call is one command of a batch."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from app.contexts.catalog.application.forbid import Prohibition
from app.contexts.catalog.application.move_stock import Moved, Movement
from app.contexts.catalog.application.settling import GiveBack, Take
from app.contexts.catalog.application.stock_room import Outcome
from app.contexts.catalog.domain.refusals import ReservationNotFound
from app.contexts.catalog.domain.reservation import Reservation
from app.contexts.catalog.public import Line, ProductId, ReservationForbidden, Reserved
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

MoveOne = Callable[[Movement], Awaitable[Moved]]
Forbidding = Callable[[Prohibition], Awaitable[Reserved | ReservationForbidden]]


class Desk:
    """Asks the batched use cases. It implements `Stock`."""

    def __init__(self, move: MoveOne, forbid: Forbidding) -> None:
        self._move = move
        self._forbid = forbid

    async def reserve(
        self,
        operation: OperationId,
        tenant_id: TenantId,
        buyer: UserId | None,
        lines: Sequence[Line],
        *,
        pinned: bool = False,
    ) -> Outcome:
        """See `Stock.reserve`."""
        outcome = await self._move(Reservation(operation, tenant_id, buyer, tuple(lines), pinned))
        assert isinstance(outcome, Outcome), "a reservation gets one"
        return outcome

    async def take(self, tenant_id: TenantId, operation: OperationId) -> None:
        """See `Stock.take`."""
        _raise(await self._move(Take(tenant_id, operation)))

    async def give_back(
        self, tenant_id: TenantId, operation: OperationId, products: Collection[ProductId] | None = None
    ) -> None:
        """See `Stock.give_back`."""
        some = None if products is None else frozenset(products)
        _raise(await self._move(GiveBack(tenant_id, operation, some)))

    async def forbid(self, tenant_id: TenantId, operation: OperationId) -> Reserved | ReservationForbidden:
        """See `Stock.forbid`."""
        return await self._forbid(Prohibition(tenant_id, operation))


def _raise(moved: Moved) -> None:
    if isinstance(moved, ReservationNotFound):
        raise moved
