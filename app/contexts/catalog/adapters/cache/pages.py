"""Lists of products, through the cache: which products a page has is kept under the generation of its tenant's pages,
what they are by themselves."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from secrets import token_hex
from typing import NamedTuple

from app.contexts.catalog.adapters.cache.kinds import (
    GENERATION,
    PAGE,
    RECOMMENDED,
    THE_GENERATION,
    PageOfIds,
    ShownProduct,
)
from app.contexts.catalog.adapters.cache.shown import Shown
from app.contexts.catalog.application.browse import Listings, Position, Recommendations, Wanted
from app.contexts.catalog.domain.ids import ProductId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.cache.ports import Cache


class ShownPage(NamedTuple):
    """The products of a page, and where the next one begins, if there is one."""

    products: Sequence[ShownProduct]
    next: Position | None


class Pages:
    """Shows lists of products."""

    def __init__(self, cache: Cache, shown: Shown, listings: Listings, recommendations: Recommendations) -> None:
        self._cache = cache
        self._shown = shown
        self._listings = listings
        self._recommendations = recommendations

    async def page(self, tenant_id: TenantId, wanted: Wanted, slug: str | None) -> ShownPage:
        """The page, of the products in the category with this slug and in those below it, if there is a slug.

        Raises:
            Unavailable: it cannot be known now.
        """
        # First: what is listed behind it was written by then, or is of a generation that nobody asks for any more.
        generation = await self._cache.get(tenant_id, GENERATION, THE_GENERATION, _new_generation)
        if slug is not None:
            # They are part of the key: a page of what the tree was before is none of what it is now.
            below = await self._shown.below(tenant_id, slug)
            wanted = replace(wanted, filters=replace(wanted.filters, categories=tuple(below)))
        name = f"{generation}:{blake2b(repr(wanted).encode(), digest_size=16).hexdigest()}"
        page = await self._cache.get(tenant_id, PAGE, name, partial(self._list, tenant_id, wanted))
        return ShownPage(await self._shown.products(tenant_id, page.ids), page.next)

    async def recommended(self, tenant_id: TenantId, buyer: UserId, limit: int) -> Sequence[ShownProduct]:
        """Up to so many that might please somebody.

        Raises:
            Unavailable: it cannot be known now.
        """
        load = partial(self._recommend, tenant_id, buyer)
        products = await self._cache.get(tenant_id, RECOMMENDED, str(buyer), load)
        return await self._shown.products(tenant_id, products[:limit])

    async def _list(self, tenant_id: TenantId, wanted: Wanted) -> PageOfIds:
        listed = await self._listings.page(tenant_id, wanted)
        return PageOfIds([*listed.ids], listed.next)

    async def _recommend(self, tenant_id: TenantId, buyer: UserId) -> list[ProductId]:
        return [*await self._recommendations.of(tenant_id, buyer)]


async def _new_generation() -> str:
    return token_hex(8)
