"""Orders: what one buys, and sells."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.signature import Key


class OrderItem(Struct, frozen=True):
    """Pieces of a product, titled and priced as when they were ordered."""

    product_id: UUID
    title: str
    qty: int
    price: int


class Order(Struct, frozen=True):
    """What a buyer has of a seller out of one checkout. `fee` is taken out of `total`; `payment_ref` is the hold."""

    order_id: UUID
    checkout_id: UUID
    buyer_id: UUID
    seller_id: UUID
    items: list[OrderItem]
    total: int
    fee: int
    currency: str
    status: Literal["pending", "paid", "shipped", "completed", "cancelled"]
    payment_ref: UUID | None
    tracking: str | None
    created_at: datetime
    updated_at: datetime


class Checkout(Struct, frozen=True):
    """What became of a cart: one order a seller, all of them paid."""

    checkout_id: UUID
    orders: list[Order]


class Orders(Resource[W]):
    """Orders of buyers and sellers."""

    @operation("POST", "/v1/orders")
    def check_out(self, *, expected_total: int, key: Key = None) -> Checkout:
        """Order what is in the cart: all of it, once, or nothing. `expected_total` is what it was shown to cost.

        Raises:
            CartEmpty, OutOfStock, PriceChanged, InsufficientFunds: the cart is as before.
        """

    @listing("/v1/orders", "orders")
    def list(
        self, *, as_: Literal["buyer", "seller"] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Order:
        """What one has bought and sold, the newest first; admins see the tenant's."""

    @operation("GET", "/v1/orders/{order_id}")
    def get(self, order_id: UUID | str) -> Order:
        """One of them."""

    @operation("POST", "/v1/orders/{order_id}/ship", repeats=True)
    def ship(self, order_id: UUID | str, *, tracking: str | None = None) -> Order:
        """Say, as its seller, that it is on its way.

        Raises:
            OrderState: it is not to be shipped, or not any more.
        """

    @operation("POST", "/v1/orders/{order_id}/complete", repeats=True)
    def complete(self, order_id: UUID | str) -> Order:
        """Say, as its buyer, that it has arrived."""

    @operation("POST", "/v1/orders/{order_id}/cancel", repeats=True)
    def cancel(self, order_id: UUID | str, *, reason: str | None = None) -> Order:
        """Cancel it before it is on its way."""
