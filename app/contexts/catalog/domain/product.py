"""A product: what its seller says of it, how many of it are left, and how it changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.shelf_refusals import StockReserved, TooManyEdits
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId


class Condition(StrEnum):
    """What state a product is in."""

    NEW = "new"
    LIKE_NEW = "like_new"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What its seller says of a product, all of which an edit replaces."""

    title: str
    condition: Condition
    price_minor: int
    currency: Currency
    quantity: int
    """How many are left, with those that are reserved."""
    description: str = ""
    category_id: CategoryId | None = None
    images: tuple[str, ...] = ()
    video_url: str | None = None
    specifications: Mapping[str, str] = field(default_factory=dict)
    shipping_info: Mapping[str, Any] = field(default_factory=dict)
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as it stands."""

    id: ProductId
    tenant_id: TenantId
    seller_id: UserId
    details: Details
    featured: bool = False
    reserved: int = 0
    version: int = 1
    """Moves with every edit, and with whatever becomes of its stock."""
    edits: int = 1
    """How much was told of it: its newest event's sequence."""
    created_at: datetime
    updated_at: datetime
    view_count: int = 0

    @property
    def available(self) -> int:
        """How many may be reserved."""
        return self.details.quantity - self.reserved if self.details.is_active else 0


class EventType(StrEnum):
    """What is told of products."""

    CREATED = "product.created"
    UPDATED = "product.updated"
    DELETED = "product.deleted"


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about a product, as it stood from then on, or when it went. Its sequence is the product's `edits`."""

    id: EventId
    type: EventType
    product: Product


MOST_EDITS: Final = 2**15 - 2
"""An event's number has 15 bits, wherever it is kept, and the one more is for when it goes."""

Decide = Callable[[Product], Product]
"""What becomes of a product as it stands, locked. It may refuse by raising."""


def edited(product: Product, details: Details, *, featured: bool) -> Product:
    """The product as its seller wants it from now on.

    Raises:
        StockReserved: more of it is reserved than there would be left.
        TooManyEdits: there is no number left for it.
    """
    if product.edits >= MOST_EDITS:
        raise TooManyEdits
    if details.quantity < product.reserved:
        raise StockReserved(product.reserved)
    return replace(product, details=details, featured=featured, version=product.version + 1, edits=product.edits + 1)


def removed(product: Product) -> Product:
    """The product as it was when it went."""
    return replace(product, version=product.version + 1, edits=product.edits + 1)
