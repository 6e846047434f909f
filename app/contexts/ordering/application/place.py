"""What was reserved becomes orders, not paid yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.catalog.public import ReservedLine
from app.contexts.ordering.application.books import Books, Changes
from app.contexts.ordering.domain.checkout import CheckoutRef
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant


@dataclass(frozen=True, slots=True)
class Placing:
    """What was reserved for a checkout, and whom its fees will be booked to."""

    checkout: CheckoutRef
    lines: Sequence[ReservedLine]
    house_user_id: UserId

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.checkout.tenant_id


@dataclass(frozen=True, slots=True)
class Ended:
    """The checkout is over: somebody else has decided it."""


class Place:
    """Places the orders of a batch of checkouts, in one transaction a tenant: once, for one that is pending."""

    def __init__(self, books: Books, ids: Ids) -> None:
        self._books = books
        self._ids = ids

    async def __call__(self, placings: Sequence[Placing]) -> Sequence[list[Order] | Ended]:
        return await by_tenant(placings, self._place)

    async def _place(self, tenant_id: TenantId, placings: Sequence[Placing]) -> Sequence[list[Order] | Ended]:
        async with self._books.begin(tenant_id) as work:
            held, changes = await work.lock(dict.fromkeys(placing.checkout for placing in placings)), Changes()
            orders = dict(held.orders)
            results: list[list[Order] | Ended] = []
            for placing in placings:
                checkout = held.checkouts.get(placing.checkout.id)
                if checkout is None or not checkout.is_pending:
                    results.append(Ended())
                    continue
                if checkout.id not in orders:
                    orders[checkout.id] = checkout.orders(placing.lines, placing.house_user_id, self._ids, held.now)
                    changes.new_orders += orders[checkout.id]
                results.append(orders[checkout.id])
            await work.commit(changes)
        return results
