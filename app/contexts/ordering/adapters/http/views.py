"""Carts and orders as JSON."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, json

from app.contexts.ordering.domain.cart import PricedCart
from app.contexts.ordering.domain.order import Order
from app.platform.http.shapes import Amount, Code, Time, timestamp

_encode = json.Encoder().encode

Pieces = Annotated[int, Meta(ge=0, description="How much of it can be had.")]
Sum = Annotated[int, Meta(ge=0, description="Minor units (cents).")]


class CartItemView(Struct, frozen=True):
    """Pieces of a product at today's price, which is for each of them."""

    item_id: UUID
    product_id: UUID
    title: str
    qty: Annotated[int, Meta(ge=1, le=1_000)]
    price: Amount
    currency: Code
    available: Pieces


class CartView(Struct, frozen=True):
    """One's cart. `total` is what all its lines cost; an empty one has no currency."""

    cart_id: UUID
    items: list[CartItemView]
    total: Sum
    currency: Code | None


class OrderItemView(Struct, frozen=True):
    """Pieces of a product, titled and priced as when they were ordered. The price is for each of them."""

    product_id: UUID
    title: str
    qty: Annotated[int, Meta(ge=1)]
    price: Amount


class OrderView(Struct, frozen=True):
    """What one buyer has of one seller out of one checkout. `fee` is taken out of `total` for the house."""

    order_id: UUID
    checkout_id: UUID
    buyer_id: UUID
    seller_id: UUID
    items: list[OrderItemView]
    total: Amount
    fee: Sum
    currency: Code
    status: Literal["pending", "paid", "shipped", "completed", "cancelled"]
    payment_ref: Annotated[UUID | None, Meta(description="The hold that pays for it.")]
    tracking: str | None
    created_at: Time
    updated_at: Time


class OrdersView(Struct, frozen=True):
    """A page of orders, newest first. `next_cursor` asks for the next page."""

    orders: list[OrderView]
    next_cursor: str | None


def cart_view(cart: PricedCart) -> CartView:
    """The cart as its owner sees it."""
    return CartView(
        cart.id,
        [
            CartItemView(
                line.id,
                line.product_id,
                line.title,
                line.qty,
                line.price_minor,
                cart.currency,  # type: ignore[arg-type] # a cart with lines has one
                line.available,
            )
            for line in cart.lines
        ],
        cart.total_minor,
        cart.currency,
    )


def order_view(order: Order) -> OrderView:
    """The order as it is shown: to its buyer, its seller and admins alike."""
    return OrderView(
        order_id=order.id,
        checkout_id=order.checkout_id,
        buyer_id=order.buyer_id,
        seller_id=order.seller_id,
        items=[OrderItemView(item.product_id, item.title, item.qty, item.price_minor) for item in order.items],
        total=order.total_minor,
        fee=order.fee_minor,
        currency=order.currency,
        status=order.status.value,
        payment_ref=order.hold_id,
        tracking=order.tracking if order.is_shipped else None,
        created_at=timestamp(order.created_at),
        updated_at=timestamp(order.updated_at),
    )


def order_json(order: Order) -> bytes:
    """The same as the bytes that are answered."""
    return _encode(order_view(order))
