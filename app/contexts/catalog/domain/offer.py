"""What a product is offered as, to whoever wants some of it."""

from dataclasses import dataclass

from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.kernel.ids import UserId
from app.kernel.money import Currency


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as it stands. `available` is what may be reserved of it: nothing of one that is not active."""

    product_id: ProductId
    seller_id: UserId
    title: str
    price_minor: int
    currency: Currency
    available: int
    category_id: CategoryId | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of a product."""

    product_id: ProductId
    qty: int


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """Pieces that are reserved, as they were offered at that moment."""

    product_id: ProductId
    qty: int
    seller_id: UserId
    title: str
    price_minor: int
    currency: Currency
