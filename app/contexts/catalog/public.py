"""All that other contexts may know of the catalogue: what is offered, and how some of it is reserved and sold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.offer import Line, Offer, ReservedLine
from app.contexts.catalog.domain.refusals import OutOfStock, ReservationForbidden, ReservationReused
from app.kernel.ids import UserId
from app.kernel.moments import Moment
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.kernel.topology import Exchange, Queue

EVENTS: Final = Exchange("market.events", (Queue("audit.queue", "audit.dlq", ("product.*", "order.*", "auction.*")),))
"""Where all of the market publishes its events, orders among them, and which queue has to have them."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """All of it is reserved, as it was offered at that moment; in the order of the products' ids."""

    lines: Sequence[ReservedLine]


class Offers(Protocol):
    """What is offered now, for whoever shows it. Nothing is decided by it: only `Stock` promises anything."""

    async def offers(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Offer]:
        """Those of the products that there are: what was deleted is not among them.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Categories(Protocol):
    """The tree of categories, for whoever lists by them what is made of products."""

    async def below(self, tenant_id: TenantId, slug: str) -> Sequence[CategoryId]:
        """The category with this slug and those below it, as far as they are active; none, where there is none.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Stock(Protocol):
    """Reserves products and gives them out: each call is a transaction, together with others that come at once.

    A reservation happens once: `OperationId` says which it is, and the same again has the same outcome. After
    `Unavailable`, which every call may raise, nobody knows whether it happened: the same again tells, or `forbid`.
    """

    async def reserve(
        self,
        operation: OperationId,
        tenant_id: TenantId,
        buyer: UserId | None,
        lines: Sequence[Line],
        *,
        pinned: bool = False,
    ) -> Reserved | OutOfStock | ReservationForbidden | ReservationReused:
        """Reserve all of it or none: what is missing, deleted, not active, or not available in that number is
        OutOfStock, and stays so: the same again says the same. Pinned, the products stay as they are offered for as
        long as it lasts: they cannot be deleted. ReservationReused is the same operation with another content.

        Raises:
            ValueError: no line, a line of nothing, or two of one product.
        """
        ...

    async def take(self, tenant_id: TenantId, operation: OperationId) -> None:
        """What is reserved is sold: it leaves the stock, and counts as bought by the buyer. The same again is nothing,
        and so is what was given back of it.

        Raises:
            LookupError: there is no such reservation, or all of it was given back.
        """
        ...

    async def give_back(
        self, tenant_id: TenantId, operation: OperationId, products: Collection[ProductId] | None = None
    ) -> None:
        """Put back what was reserved or taken, all of it or that of these products. The same again is nothing.

        Raises:
            LookupError: there is no such reservation, or it is of other products.
        """
        ...

    async def forbid(self, tenant_id: TenantId, operation: OperationId) -> Reserved | ReservationForbidden:
        """See to it that the reservation never happens, unless it has: then what is reserved or taken, without what was
        given back. One that is under way is waited for.
        """
        ...


class StockStories(Protocol):
    """What became of reservations, for whoever tells operators of the business that they are for."""

    async def moments_of(
        self, tenant_id: TenantId, operation: OperationId, products: Collection[ProductId]
    ) -> Sequence[Moment]:
        """All that is known of a reservation of these products; nothing, where there is no such reservation.

        Raises:
            Unavailable: the catalogue is out of reach.
        """
        ...


__all__ = [
    "EVENTS",
    "Categories",
    "CategoryId",
    "Line",
    "Offer",
    "Offers",
    "OutOfStock",
    "ProductId",
    "ReservationForbidden",
    "ReservationReused",
    "Reserved",
    "ReservedLine",
    "Stock",
    "StockStories",
]  # fmt: skip
