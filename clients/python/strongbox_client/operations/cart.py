"""One's cart."""

from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, operation


class CartItem(Struct, frozen=True):
    """Pieces of a product at today's price, which is for each of them."""

    item_id: UUID
    product_id: UUID
    title: str
    qty: int
    price: int
    currency: str
    available: int


class CartContents(Struct, frozen=True):
    """What is in a cart. `total` is what all of it costs; an empty one has no currency."""

    cart_id: UUID
    items: list[CartItem]
    total: int
    currency: str | None


class Cart(Resource[W]):
    """One's cart. It promises nothing."""

    @operation("GET", "/v1/cart")
    def get(self) -> CartContents:
        """What is in it."""

    @operation("POST", "/v1/cart/items")
    def put(self, *, product_id: UUID | str, qty: int) -> CartContents:
        """Put pieces of a product into it; the same again adds up."""

    @operation("PUT", "/v1/cart/items/{item_id}", repeats=True)
    def change(self, item_id: UUID | str, *, qty: int) -> CartContents:
        """Have so many pieces of it."""

    @operation("DELETE", "/v1/cart/items/{item_id}")
    def remove(self, item_id: UUID | str) -> CartContents:
        """Take something out."""
