"""What of the catalogue is kept in the cache, and under which keys."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from app.contexts.catalog.application.browse import Position
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.platform.cache.ports import Kind


class ShownProduct(Struct, frozen=True):
    """A product as it is answered: its JSON, and the version that this is of."""

    version: int
    body: bytes


class ShownTree(Struct, frozen=True):
    """The categories as they are answered, and by each one's slug those whose products are in it."""

    body: bytes
    subtrees: Mapping[str, Sequence[CategoryId]]


class PageOfIds(Struct, frozen=True):
    """Which products a page has, and where the next one begins."""

    ids: list[ProductId]
    next: Position | None


PRODUCT: Final[Kind[ShownProduct | None]] = Kind("product", ShownProduct | None, (60, 300))
PAGE: Final[Kind[PageOfIds]] = Kind("products:page", PageOfIds, (60, 300))
TREE: Final[Kind[ShownTree]] = Kind("categories", ShownTree, (60, 300))
GENERATION: Final[Kind[str]] = Kind("products", str, (60, 300))
"""What all pages of a tenant are kept under: a new one, and none of those before is found any more."""
RECOMMENDED: Final[Kind[list[ProductId]]] = Kind("listings:recommended", list[ProductId], (30, 120))

THE_TREE: Final = "tree"
THE_GENERATION: Final = "generation"

PAGES_KEY: Final = GENERATION.key(THE_GENERATION)
TREE_KEY: Final = TREE.key(THE_TREE)


def product_key(product_id: ProductId) -> str:
    """Where a product is kept."""
    return PRODUCT.key(str(product_id))
