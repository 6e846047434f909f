"""What operators see of the catalogue from the command line, and do about it."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID

from app.contexts.catalog.application.look_at_stock import StockPage
from app.contexts.catalog.application.reindex import Reindexed
from app.contexts.catalog.container import CatalogContainer
from app.contexts.catalog.domain.ids import ProductId
from app.platform.postgres.operator import actions, with_pool, with_pools
from app.platform.process.commands import Rooms
from app.platform.process.progress import Progress


async def stock_of(house: Rooms, product_id: UUID, tenant: str | None, most: int) -> StockPage:
    """A product's stock with its newest reservations.

    Raises:
        ProductUnknown, TenantUnknown: there is no such thing.
        Unavailable, MigrationError: see `with_pool`.
    """
    container: CatalogContainer = house.container("catalog")
    look = partial(container.look_at_stock(), ProductId(product_id), None, most, tenant=tenant)
    for pool in house.pools:  # of whoever knows the tenants
        look = partial(with_pool, pool, container.database().url, look)
    return await look()


async def reindex(house: Rooms, tenant: str | None, progress: Progress, stop: asyncio.Event) -> Reindexed:
    """Have products found by their words in the language that is set, those of a tenant or of all, until told to stop.

    Raises:
        TenantUnknown, NotRecorded: nothing was done.
        Unavailable, MigrationError: see `with_pools`; what was written until then is.
    """
    container: CatalogContainer = house.container("catalog")
    work, record = container.reindex(), actions(container.platform.settings().consumers_url)

    async def run() -> Reindexed:
        async with AsyncExitStack() as stack:
            for each in container.platform.openings():
                await stack.enter_async_context(each.opened())
            await stack.enter_async_context(container.forgetter().opened())
            return await work(record, tenant, progress, stop)

    return await with_pools(house.pools, container.database().url, run)
