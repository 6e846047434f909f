"""Rows of orders."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec import json

from app.contexts.catalog.public import ProductId
from app.contexts.funds.public import HoldId
from app.contexts.ordering.domain.ids import CheckoutId, OrderId
from app.contexts.ordering.domain.order import Closing, Order, OrderItem, OrderStatus
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Row

ORDER_COLUMNS: Final = """
    o.tenant_id, o.user_id, o.id, o.checkout_id, o.seller_id, o.items, o.total, o.fee, o.currency, o.status, o.hold_id,
    o.tracking, o.closing, o.closing_by, o.closing_at, o.reason, o.house_user_id, o.created_at, o.updated_at, o.paid_at,
    o.shipped_at
"""
"""Of an order, as `order_of` reads them; the table is `o`."""


def order_of(row: Row) -> Order:
    """The order in a row of `ORDER_COLUMNS`."""
    (
        tenant_id, user_id, id_, checkout_id, seller_id, items, total, fee, currency, status, hold_id, tracking,
        closing, closing_by, closing_at, reason, house_user_id, created_at, updated_at, paid_at, shipped_at,
    ) = row  # fmt: skip
    return Order(
        id=OrderId(id_),
        tenant_id=TenantId(tenant_id),
        checkout_id=CheckoutId(checkout_id),
        buyer_id=UserId(user_id),
        seller_id=UserId(seller_id),
        items=tuple(
            OrderItem(ProductId(UUID(item["product_id"])), item["title"], item["qty"], item["price"]) for item in items
        ),
        total_minor=total,
        fee_minor=fee,
        currency=Currency(currency),
        house_user_id=UserId(house_user_id),
        created_at=created_at,
        updated_at=updated_at,
        status=OrderStatus(status),
        hold_id=hold_id and HoldId(hold_id),
        tracking=tracking,
        closing=closing and Closing(closing),
        closing_by=closing_by and UserId(closing_by),
        closing_at=closing_at,
        reason=reason,
        paid_at=paid_at,
        shipped_at=shipped_at,
    )


def items_text(items: Iterable[OrderItem]) -> str:
    """The items as they are kept, as JSON text."""
    kept = [{"product_id": i.product_id, "title": i.title, "qty": i.qty, "price": i.price_minor} for i in items]
    return json.encode(kept).decode()
