"""What is for sale."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.signature import Place
from strongbox_client.values import Vocabulary


class Condition(Vocabulary):
    """What state a product is in."""

    NEW = "new"
    LIKE_NEW = "like_new"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Category(Struct, frozen=True):
    """A category, with those below it."""

    category_id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None
    image_url: str | None
    sort_order: int
    is_active: bool
    children: "list[Category]"


class Product(Struct, frozen=True, kw_only=True):
    """A product. `available` of its `quantity` is not reserved; `version` moves with all of this but the views."""

    product_id: UUID
    seller_id: UUID
    category_id: UUID | None
    title: str
    description: str
    condition: Condition
    price: int
    currency: str
    quantity: int
    available: int
    images: list[str]
    video_url: str | None
    specifications: dict[str, str]
    shipping_info: dict[str, Any]
    featured: bool
    is_active: bool
    view_count: int
    version: int
    created_at: datetime
    updated_at: datetime


Known = Annotated[int, Place("header", "If-None-Match", is_version=True)]
Meant = Annotated[int, Place("header", "If-Match", is_version=True)]
"""A product's `version`."""


class Categories(Resource[W]):
    """The tree of categories; admins change it."""

    @operation("GET", "/v1/categories", "categories")
    def tree(self) -> list[Category]:
        """Those that are active, each with those below it."""

    @operation("POST", "/v1/categories")
    def add(
        self,
        *,
        name: str,
        slug: str,
        parent_id: UUID | str | None = None,
        description: str | None = None,
        image_url: str | None = None,
        sort_order: int | None = None,
        is_active: bool | None = None,
    ) -> Category:
        """Add one."""

    @operation("PUT", "/v1/categories/{category_id}", repeats=True)
    def replace(
        self,
        category_id: UUID | str,
        *,
        name: str,
        slug: str,
        parent_id: UUID | str | None = None,
        description: str | None = None,
        image_url: str | None = None,
        sort_order: int | None = None,
        is_active: bool | None = None,
    ) -> Category:
        """Make it what this says, and nothing of what it was."""

    @operation("DELETE", "/v1/categories/{category_id}")
    def remove(self, category_id: UUID | str) -> None:
        """Remove one that is not in use."""


class Products(Resource[W]):
    """Products: everybody reads, sellers change their own, admins any."""

    @listing("/v1/products", "products")
    def list(
        self,
        *,
        q: str | None = None,
        category: str | None = None,
        seller: UUID | str | None = None,
        condition: Condition | str | None = None,
        currency: str | None = None,
        min_price: int | None = None,
        max_price: int | None = None,
        featured: bool | None = None,
        in_stock: bool | None = None,
        recommended: bool | None = None,
        sort: Literal["newest", "price", "-price"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Product:
        """Those that fit all of it: `q` in the syntax of a web search, `category` a slug, with what is below it.

        A price takes a currency; `recommended` takes a log-in, and goes with `limit` alone.
        """

    @operation("GET", "/v1/products/{product_id}")
    def get(self, product_id: UUID | str) -> Product:
        """One of them."""

    @operation("GET", "/v1/products/{product_id}")
    def newer(self, product_id: UUID | str, *, than: Known) -> Product | None:
        """One, unless it is still of that `version`."""

    @operation("POST", "/v1/products")
    def add(
        self,
        *,
        title: str,
        condition: Condition | str,
        price: int,
        currency: str,
        quantity: int,
        description: str | None = None,
        category_id: UUID | str | None = None,
        images: Sequence[str] | None = None,
        video_url: str | None = None,
        specifications: Mapping[str, str] | None = None,
        shipping_info: Mapping[str, Any] | None = None,
        featured: bool | None = None,
        is_active: bool | None = None,
    ) -> Product:
        """Offer one."""

    @operation("PUT", "/v1/products/{product_id}")
    def replace(
        self,
        product_id: UUID | str,
        *,
        version: Meant,
        title: str,
        condition: Condition | str,
        price: int,
        currency: str,
        quantity: int,
        description: str | None = None,
        category_id: UUID | str | None = None,
        images: Sequence[str] | None = None,
        video_url: str | None = None,
        specifications: Mapping[str, str] | None = None,
        shipping_info: Mapping[str, Any] | None = None,
        featured: bool | None = None,
        is_active: bool | None = None,
    ) -> Product:
        """Make that version of it what this says, and nothing of what it was.

        Raises:
            PreconditionFailed: it is another version by now.
            StockReserved: more than `quantity` is reserved.
        """

    @operation("DELETE", "/v1/products/{product_id}")
    def remove(self, product_id: UUID | str) -> None:
        """Take it off the shelf."""
