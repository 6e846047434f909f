"""Views are counted apart from products, written together, and kept while they cannot be."""

import asyncio
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from app.contexts.catalog.application import count_views
from app.contexts.catalog.application.count_views import CountViews
from app.contexts.catalog.domain.ids import ProductId
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from tests.catalog.shop import Shop

ONE, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))
A, B = ProductId(UUID(int=10)), ProductId(UUID(int=11))


class Written:
    """Takes views, or is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.views: dict[tuple[TenantId, ProductId], int] = {}
        self.calls = 0

    async def add(self, tenant_id: TenantId, views: Mapping[ProductId, int]) -> None:
        self.calls += 1
        if self.is_away:
            raise Unavailable("it is away")
        for product_id, count in views.items():
            self.views[tenant_id, product_id] = self.views.get((tenant_id, product_id), 0) + count


async def test_whoever_looks_is_counted_and_the_version_stays(shop: Shop) -> None:
    product = await shop.product()
    target = f"/v1/products/{product['product_id']}"
    for tag in ('"1"', '"0"', '"1"'):
        await shop.get(target, None, **{"If-None-Match": tag})
    assert (await shop.get(f"/v1/products/{uuid4()}")).status_code == 404
    query = "SELECT views FROM catalog.product_views WHERE product_id = %s"
    async with asyncio.timeout(60):
        while shop.rows(query, product["product_id"]) != [(3,)]:  # some of them may be being written by themselves
            await shop.container.views().write()
            await asyncio.sleep(0.01)
    changed = (await shop.replace(product)).json()
    assert (changed["view_count"], changed["version"]) == (3, 2)
    assert (await shop.get(target)).json() == changed


async def test_views_are_written_by_themselves_within_five_seconds(shop: Shop) -> None:
    product = await shop.product()
    await shop.get(f"/v1/products/{product['product_id']}")
    query = "SELECT views FROM catalog.product_views WHERE product_id = %s"
    async with asyncio.timeout(60):
        while shop.rows(query, product["product_id"]) != [(1,)]:  # noqa: ASYNC110 -- it is only read
            await asyncio.sleep(0.05)


async def test_what_cannot_be_written_is_counted_on() -> None:
    written = Written()
    views = CountViews(written)
    for tenant_id, product_id in ((ONE, A), (ONE, A), (ONE, B), (OTHER, A)):
        views.viewed(tenant_id, product_id)
    written.is_away = True
    with pytest.raises(Unavailable):
        await views.write()
    views.viewed(ONE, A)
    written.is_away = False
    await views.write()
    await views.write()
    assert written.views == {(ONE, A): 3, (ONE, B): 1, (OTHER, A): 1}


async def test_what_is_held_is_bounded_and_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_views, "MOST_COUNTED", 5)
    monkeypatch.setattr(count_views, "AT_ONCE", 2)
    written = Written()
    views = CountViews(written)
    for n in range(7):
        views.viewed(ONE, ProductId(UUID(int=n)))
    await views.write()
    assert (len(written.views), written.calls) == (5, 3)
