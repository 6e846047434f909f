"""Orders, compared with what funds tell of holds, and what the catalogue tells of what is reserved and sold.

What others tell was read between two snapshots of the orders: an order that is the same in both was so meanwhile, and
only such a one is held against it.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.ordering.domain.checkout import CONTEXT
from app.platform.postgres.facts import Facts, merged, rows_of
from app.platform.postgres.inspection import Session
from app.platform.postgres.pipeline import Row

_ORDERS: Final = """
    SELECT hold_id, id, status, closing IS NULL, total, fee, updated_at
    FROM ordering.orders WHERE hold_id IS NOT NULL ORDER BY hold_id
"""
_ITEMS: Final = """
    SELECT coalesce(c.sale_id, o.checkout_id) AS sold_by, o.id, o.status, o.closing IS NULL, o.updated_at, o.items
    FROM ordering.orders o
    LEFT JOIN ordering.checkouts c ON c.bucket = o.bucket AND c.user_id = o.user_id AND c.id = o.checkout_id
    ORDER BY sold_by
"""
_PENDING: Final = "SELECT id FROM ordering.checkouts WHERE status = 'pending'"

_HELD: Final[Mapping[str, str]] = {
    "paid": "OPEN",
    "shipped": "CAPTURED",
    "completed": "CAPTURED",
    "cancelled": "RELEASED",
}
_STOCK: Final[Mapping[str, str]] = {
    "paid": "TAKEN",
    "shipped": "TAKEN",
    "completed": "TAKEN",
    "cancelled": "RETURNED",
}


class _Hold(NamedTuple):
    id: UUID
    context: str
    business_id: UUID
    status: str
    amount: int
    captured: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrdersAndHoldsAgree:
    """Holds and orders in the order of the holds' ids."""

    before: Session
    after: Session
    facts: Facts
    name: str = "orders_and_holds_agree"
    claim: str = (
        "an order is paid as long as its hold is open, shipped or completed once all of that is captured, and "
        "cancelled once it is released; no hold is open for nothing"
    )

    async def offenders(self) -> AsyncIterator[str]:
        """Orders and holds that contradict each other."""
        for tenant in await self.facts.tenants():
            pending = {id_ async for (id_,) in rows_of(self.after, tenant, _PENDING)}
            sides = merged(
                rows_of(self.before, tenant, _ORDERS),
                rows_of(self.after, tenant, _ORDERS),
                self.facts.of(tenant, "funds.holds"),
            )
            async for hold_id, (were, are, holds) in sides:
                hold = _Hold._make(holds[0]) if holds else None
                if are:
                    for order in are if were == are else ():
                        if offence := _of_hold(order, hold):
                            yield f"order {order[1]} is {order[2]}, hold {hold_id} {offence}"
                elif hold and hold.context == CONTEXT and hold.status == "OPEN" and hold.business_id not in pending:
                    yield f"hold {hold_id} of checkout {hold.business_id} is open for no order"


def _of_hold(order: Row, hold: _Hold | None) -> str | None:
    _, _, status, is_quiet, total, fee, _ = order
    if not is_quiet:
        return None
    if hold is None:
        return "is not there"
    if hold.status != _HELD.get(status) or hold.amount != total:
        return f"is {hold.status} with {hold.amount} of {total}"
    # The house keeps the fee of what it buys itself.
    if hold.status == "CAPTURED" and hold.captured not in (total, total - fee):
        return f"was captured with {hold.captured} of {total}"
    return None


@dataclass(frozen=True, slots=True)
class OrdersAndStockAgree:
    """What was sold and orders in the order of what sold them: checkouts, and sales from elsewhere."""

    before: Session
    after: Session
    facts: Facts
    name: str = "orders_and_stock_agree"
    claim: str = (
        "what is in an order that is paid, shipped or completed is sold, what is in a cancelled one is back; nothing "
        "is reserved for nothing"
    )

    async def offenders(self) -> AsyncIterator[str]:
        """Orders and reservations that contradict each other."""
        for tenant in await self.facts.tenants():
            pending = {id_ async for (id_,) in rows_of(self.after, tenant, _PENDING)}
            sides = merged(
                rows_of(self.before, tenant, _ITEMS),
                rows_of(self.after, tenant, _ITEMS),
                self.facts.of(tenant, "catalog.reserved"),
            )
            async for sold_by, (were, are, lines) in sides:
                for line in _of_stock(sold_by, were, are, lines, pending):
                    yield line


def _of_stock(
    sold_by: object, were: Sequence[Row], are: Sequence[Row], lines: Sequence[Row], pending: Collection[object]
) -> Sequence[str]:
    found = {(product_id, qty): status for _, _, _, product_id, qty, status in lines}
    known = {order[1]: order for order in were}
    offences, sold = [], set()
    for order in are:
        _, id_, status, is_quiet, _, items = order
        sold |= {(UUID(item["product_id"]), item["qty"]) for item in items}
        if not is_quiet or known.get(id_) != order or status not in _STOCK:
            continue
        for item in items:
            stands = found.get((UUID(item["product_id"]), item["qty"]))
            if stands != _STOCK[status]:
                of_it = f"{item['qty']} of product {item['product_id']}"
                offences.append(f"order {id_} is {status}, {of_it} {'are ' + stands if stands else 'were never its'}")
    left = {
        product_id
        for _, context, _, product_id, qty, status in lines
        if context == CONTEXT and status != "RETURNED" and (product_id, qty) not in sold
    }
    if sold_by not in pending:
        offences += [f"product {product_id} is kept for no order of checkout {sold_by}" for product_id in sorted(left)]
    return offences
