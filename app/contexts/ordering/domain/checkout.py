"""A checkout: what becomes of a cart's lines, which is orders that are all paid, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final

from app.contexts.catalog.public import Line, OutOfStock, ReservedLine
from app.contexts.ordering.domain.ids import CartId, CheckoutId, OrderId
from app.contexts.ordering.domain.order import Order, OrderItem
from app.contexts.ordering.domain.refusals import PriceChanged
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.new_ids import Ids
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

CONTEXT: Final = "ordering"
WHOLE_BP: Final = 10_000
"""Basis points of all of it."""


class CheckoutStatus(StrEnum):
    """Where a checkout stands. All but pending are final."""

    PENDING = "pending"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CheckoutRef:
    """What identifies a checkout: whose it is, and of which tenant."""

    tenant_id: TenantId
    buyer_id: UserId
    id: CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checkout, as it was meant. Amounts in minor units; times are the database's, in UTC.

    `lines` come in the order of their products. One without a cart is a sale from elsewhere, which has its own
    operation at the stock.
    """

    id: CheckoutId
    tenant_id: TenantId
    buyer_id: UserId
    cart_id: CartId | None
    key: str | None
    """The buyer's Idempotency-Key."""
    expected_total_minor: int
    currency: Currency
    lines: tuple[Line, ...]
    created_at: datetime
    updated_at: datetime
    status: CheckoutStatus = CheckoutStatus.PENDING
    sale: OperationId | None = None
    traceparent: str | None = None

    @property
    def ref(self) -> CheckoutRef:
        """What identifies it."""
        return CheckoutRef(self.tenant_id, self.buyer_id, self.id)

    @property
    def is_pending(self) -> bool:
        """Whether it has not ended."""
        return self.status is CheckoutStatus.PENDING

    @property
    def is_paid(self) -> bool:
        """Whether its orders are."""
        return self.status is CheckoutStatus.PAID

    @property
    def reservation(self) -> OperationId:
        """What the stock knows its products by."""
        return self.sale or reservation_of(self.id)

    @property
    def holding(self) -> OperationId:
        """What funds know the holds of all its orders by."""
        return OperationId(CONTEXT, self.id, "hold")

    def pay(self, now: datetime) -> "Checkout":
        """The checkout, whose orders are paid."""
        return replace(self, status=CheckoutStatus.PAID, updated_at=now)

    def cancel(self, now: datetime) -> "Checkout":
        """The checkout, of which nothing came."""
        return replace(self, status=CheckoutStatus.CANCELLED, updated_at=now)

    def refusal_of(self, reserved: Sequence[ReservedLine]) -> OutOfStock | PriceChanged | None:
        """What is wrong with what was reserved, if something is: a product of another currency is not to be had for
        this cart's, and its total is what was expected, or somebody has to look at it again.
        """
        if foreign := {line.product_id: 0 for line in reserved if line.currency != self.currency}:
            return OutOfStock(foreign)
        total_minor = sum(map(_cost_minor, reserved))
        return None if total_minor == self.expected_total_minor else PriceChanged(total_minor)

    def orders(self, reserved: Sequence[ReservedLine], house: UserId, ids: Ids, now: datetime) -> list[Order]:
        """The orders, pending, of what was reserved: one a seller, in the order of their ids."""
        by_seller = sorted(reserved, key=lambda line: (line.seller_id, line.product_id))
        orders = [
            Order(
                id=OrderId(ids()),
                tenant_id=self.tenant_id,
                checkout_id=self.id,
                buyer_id=self.buyer_id,
                seller_id=seller_id,
                items=tuple(OrderItem(line.product_id, line.title, line.qty, line.price_minor) for line in lines),
                total_minor=sum(map(_cost_minor, lines)),
                fee_minor=0,
                currency=self.currency,
                house_user_id=house,
                created_at=now,
                updated_at=now,
            )
            for seller_id, lines in ((seller, list(group)) for seller, group in groupby(by_seller, _seller_of))
        ]
        return sorted(orders, key=lambda order: order.id)


def reservation_of(checkout_id: CheckoutId) -> OperationId:
    """What the stock knows the products of a cart's checkout by."""
    return OperationId(CONTEXT, checkout_id, "reserve")


def fee_minor(total_minor: int, fee_bp: int) -> int:
    """What the house gets of a total, rounded down."""
    return total_minor * fee_bp // WHOLE_BP


def _cost_minor(line: ReservedLine) -> int:
    return line.qty * line.price_minor


def _seller_of(line: ReservedLine) -> UserId:
    return line.seller_id
