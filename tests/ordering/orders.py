"""Carts and orders with sensible defaults: a test says only what it is about."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from app.contexts.catalog.public import Offer, ProductId
from app.contexts.ordering.domain.cart import Cart
from app.contexts.ordering.domain.ids import CartId, CheckoutId, ItemId, OrderId
from app.contexts.ordering.domain.order import Order, OrderItem
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from tests.builders import NOON, USD, user_id

TENANT = TenantId(UUID(int=1))


def offer(**changes: Any) -> Offer:
    """A product as it is offered."""
    return replace(Offer(ProductId(uuid4()), user_id(), "a lamp", 1_250, USD, 3), **changes)


def item_id() -> ItemId:
    return ItemId(uuid4())


def cart(*offers: Offer, owner: UserId | None = None) -> Cart:
    """A cart with one piece of each."""
    filled = Cart(CartId(uuid4()), TENANT, owner or user_id())
    for each in offers:
        filled = filled.put(item_id(), each, 1)
    return filled


def order(**changes: Any) -> Order:
    """An order of two lamps that is pending."""
    pending = Order(
        id=OrderId(uuid4()),
        tenant_id=TENANT,
        checkout_id=CheckoutId(uuid4()),
        buyer_id=user_id(),
        seller_id=user_id(),
        items=(OrderItem(ProductId(uuid4()), "a lamp", 2, 1_250),),
        total_minor=2_500,
        fee_minor=25,
        currency=USD,
        house_user_id=user_id(),
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(pending, **changes)
