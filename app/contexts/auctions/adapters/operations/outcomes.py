"""Auctions, compared with what ordering tells of what was sold, and what the catalogue tells of their pieces.

What they tell was read between two snapshots of the auctions: what is the same in both was so meanwhile.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.auctions.domain.intent import CONTEXT
from app.platform.postgres.facts import Facts, merged, rows_of
from app.platform.postgres.inspection import Session
from app.platform.postgres.pipeline import Row

_AUCTIONS: Final = """
    SELECT id, status, seller_id, product_id, winner_id, sold_price, winner_hold_id, order_id
    FROM auctions.auctions ORDER BY id
"""
_OPENINGS: Final = "SELECT auction_id FROM auctions.openings"
_OVER: Final = ("ended", "cancelled")


@dataclass(frozen=True, slots=True)
class AuctionsAndOrdersAgree:
    """Auctions, and orders of what was sold at one, in the order of the auctions' ids."""

    before: Session
    after: Session
    facts: Facts
    name: str = "auctions_and_orders_agree"
    claim: str = "an auction that has a winner has exactly one order, of that winner at that price; no other has one"

    async def offenders(self) -> AsyncIterator[str]:
        """Auctions and orders that contradict each other."""
        for tenant in await self.facts.tenants():
            sides = merged(
                rows_of(self.before, tenant, _AUCTIONS),
                rows_of(self.after, tenant, _AUCTIONS),
                self.facts.of(tenant, "ordering.sales"),
            )
            async for auction_id, (were, are, sales) in sides:
                orders = [row[2:] for row in sales if row[1] == CONTEXT]
                if orders and not were and not are:
                    yield f"order {orders[0][0]} is of auction {auction_id}, which there is not"
                for auction in are if were == are else ():
                    if offence := _of_orders(auction, orders):
                        yield f"auction {auction_id} is {auction[1]} {offence}"


def _of_orders(auction: Row, orders: Sequence[Row]) -> str | None:
    _, status, seller_id, _, winner_id, sold_price, hold_id, order_id = auction
    if not orders:
        return None if order_id is None else f"with order {order_id}, which is not there"
    if len(orders) > 1:
        return f"with {len(orders)} orders"
    of_order = orders[0]
    if status == "open" or winner_id is None:
        return f"with order {of_order[0]}, of whom nobody knows here"
    if of_order[1:] != (winner_id, seller_id, sold_price, hold_id):
        return f"and order {of_order[0]} is another's, at another price, or paid by another hold"
    if status in _OVER and order_id != of_order[0]:
        return f"with order {order_id}, and not {of_order[0]}"
    return None


@dataclass(frozen=True, slots=True)
class AuctionsAndStockAgree:
    """Auctions and their reservations, in the order of the auctions' ids. Whether what was sold is taken, orders
    say."""

    before: Session
    after: Session
    facts: Facts
    name: str = "auctions_and_stock_agree"
    claim: str = "the piece of an auction is reserved as long as that is open, and free again when nobody has it"

    async def offenders(self) -> AsyncIterator[str]:
        """Auctions and reservations that contradict each other."""
        for tenant in await self.facts.tenants():
            openings = {id_ async for (id_,) in rows_of(self.before, tenant, _OPENINGS)}
            openings |= {id_ async for (id_,) in rows_of(self.after, tenant, _OPENINGS)}
            sides = merged(
                rows_of(self.before, tenant, _AUCTIONS),
                rows_of(self.after, tenant, _AUCTIONS),
                self.facts.of(tenant, "catalog.reserved"),
            )
            async for auction_id, (were, are, lines) in sides:
                own = [row for row in lines if row[1] == CONTEXT]
                is_kept = any(row[-1] != "RETURNED" for row in own)
                if is_kept and not were and not are and auction_id not in openings:
                    yield f"product {own[0][3]} is kept for auction {auction_id}, which there is not"
                for auction in are if were == are else ():
                    if offence := _of_stock(auction, own):
                        yield f"auction {auction_id} is {auction[1]}, {offence}"


def _of_stock(auction: Row, lines: Sequence[Row]) -> str | None:
    _, status, _, product_id, _, _, _, order_id = auction
    if status == "closing" or order_id is not None:
        return None
    wanted = "RESERVED" if status == "open" else "RETURNED"
    if [(row[3], row[4], row[5]) for row in lines] != [(product_id, 1, wanted)]:
        return f"its piece of product {product_id} is not {wanted}"
    return None
