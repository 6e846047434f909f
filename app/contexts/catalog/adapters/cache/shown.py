"""Products and categories as they are shown, through the cache."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from msgspec import json

from app.contexts.catalog.adapters.cache.kinds import PRODUCT, THE_TREE, TREE, ShownProduct, ShownTree
from app.contexts.catalog.adapters.shapes import category_shapes, product_shape
from app.contexts.catalog.application.ports import TreeReader
from app.contexts.catalog.application.read_products import ProductReader
from app.contexts.catalog.domain.category import Tree, subtrees
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.product import Product
from app.kernel.principal import TenantId
from app.platform.asked_together import AskedTogether
from app.platform.cache.ports import Cache, Kept

_encode = json.Encoder().encode


class Shown:
    """Shows products and categories. Products that are not in the cache are read together, of however many requests.

    It implements `Categories`.
    """

    def __init__(self, cache: Cache, products: ProductReader, trees: TreeReader) -> None:
        self._cache = cache
        self._products = products
        self._trees = trees
        self._reads: dict[TenantId, AskedTogether[ProductId, ShownProduct]] = {}

    async def product(self, tenant_id: TenantId, product_id: ProductId) -> ShownProduct | None:
        """The product, if there is one.

        Raises:
            Unavailable: it cannot be known now.
        """
        reads = self._reads.get(tenant_id)
        if reads is None:
            reads = self._reads[tenant_id] = AskedTogether(partial(self._read, tenant_id))
        return await self._cache.get(tenant_id, PRODUCT, str(product_id), partial(reads.ask, product_id))

    def at_hand(self, tenant_id: TenantId, product_id: ProductId) -> Kept[ShownProduct | None] | None:
        """The product, if that may be known without waiting for anything."""
        return self._cache.at_hand(tenant_id, PRODUCT, str(product_id))

    async def products(self, tenant_id: TenantId, products: Sequence[ProductId]) -> list[ShownProduct]:
        """Those of the products that there are, in this order.

        Raises:
            Unavailable: it cannot be known now.
        """
        # A task each only for those that there is something to wait for.
        kept = {each: self.at_hand(tenant_id, each) for each in products}
        others = [each for each, found in kept.items() if found is None]
        shown = {each: found.value for each, found in kept.items() if found}
        brought = await asyncio.gather(*(self.product(tenant_id, each) for each in others)) if others else ()
        shown |= zip(others, brought, strict=True)
        return [found for each in products if (found := shown[each]) is not None]

    async def tree(self, tenant_id: TenantId) -> ShownTree:
        """The categories that are active.

        Raises:
            Unavailable: it cannot be known now.
        """
        return await self._cache.get(tenant_id, TREE, THE_TREE, partial(self._tree, tenant_id))

    async def below(self, tenant_id: TenantId, slug: str) -> Sequence[CategoryId]:
        """See `app.contexts.catalog.public.Categories.below`."""
        return (await self.tree(tenant_id)).subtrees.get(slug, ())

    async def _read(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, ShownProduct]:
        found = await self._products.some(tenant_id, products)
        return {product_id: shown_product(product) for product_id, product in found.items()}

    async def _tree(self, tenant_id: TenantId) -> ShownTree:
        tree = Tree(await self._trees.all(tenant_id))
        return ShownTree(_encode({"categories": category_shapes(tree)}), subtrees(tree))


def shown_product(product: Product) -> ShownProduct:
    """The product as it is kept, and answered."""
    return ShownProduct(product.version, _encode(product_shape(product)))
