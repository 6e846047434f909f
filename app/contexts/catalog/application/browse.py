"""What lists of products are asked for, and who makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.product import Condition
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId


class Sort(StrEnum):
    """In which order."""

    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "-price"
    RANK = "rank"
    """How well each fits a text; of those that fit as well the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which products. What is None does not matter."""

    text: str | None = None
    """In the syntax of a web search."""
    categories: tuple[CategoryId, ...] | None = None
    seller: UserId | None = None
    condition: Condition | None = None
    currency: Currency | None = None
    min_price: int | None = None
    max_price: int | None = None
    featured: bool | None = None
    in_stock: bool | None = None
    is_active: bool | None = True


class Position(NamedTuple):
    """A product in a list: where a page ends, and the next one begins."""

    rank: float
    price_minor: int
    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page: up to `limit` of those products in that order, from behind a position on."""

    filters: Filters
    sort: Sort
    limit: int
    after: Position | None = None


class Listed(NamedTuple):
    """The products of a page, and where the next one begins, if there is one."""

    ids: Sequence[ProductId]
    next: Position | None


NOTHING = Listed((), None)


class Listings(Protocol):
    """Lists products."""

    async def page(self, tenant_id: TenantId, wanted: Wanted) -> Listed:
        """The page.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Recommendations(Protocol):
    """Says what might please somebody."""

    async def of(self, tenant_id: TenantId, buyer: UserId) -> Sequence[ProductId]:
        """What others bought who bought what they bought last, most often bought first; if that is nothing, the newest
        that are featured.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...
