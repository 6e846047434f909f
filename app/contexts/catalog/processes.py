"""What runs of the catalogue: beside the API's operations, and in `strongbox recover`."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from app.contexts.catalog.adapters.metrics.stock import StockWatch
from app.contexts.catalog.application.count_views import CountViews
from app.contexts.catalog.container import CatalogContainer
from app.kernel.errors import Unavailable
from app.platform.cache.deletions import Forgetter
from app.platform.context import Recovery
from app.platform.metrics.gauges import Look
from app.platform.people import People
from app.platform.postgres.lanes import Lanes, drained
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

WRITE_VIEWS_EVERY_S: Final = 2.0
"""What is lost by a kill: less than five seconds' views, however long the writing takes."""


def serving(container: CatalogContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """Stock is reserved and handed out meanwhile, for whoever asks in this process; and views are counted."""
    lanes = {
        "move_stock": container.move_stock(),
        "forbid_stock": container.forbid(),
        "read_offers": container.read_offers(),
    }
    views = container.views()
    return _moving(lanes, container.forgetter(), [container.batches().watch(lanes)], views)


def recovery(container: CatalogContainer, people: People | None) -> Recovery:
    """What the cache has not been seen to forget it forgets; stock is settled, and forbidden, for whoever recovers."""
    lanes = {"move_stock": container.move_stock(), "forbid_stock": container.forbid()}
    forgetter = container.forgetter()
    looks: list[Look] = [container.batches().watch(lanes)]
    around = _moving(lanes, forgetter, looks)
    if people is None:
        return Recovery(around, [])
    looks.append(StockWatch(container.unsettled(), people.directory, container.registry()).look)
    return Recovery(around, [partial(forgetter.run, people.directory)])


@asynccontextmanager
async def _moving(
    lanes: Mapping[str, Lanes[Any, Any]],
    forgetter: Forgetter,
    looks: Sequence[Look],
    views: CountViews | None = None,
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished, and what the cache has forgotten by then is noted no longer."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(forgetter.opened())
        await stack.enter_async_context(drained(lanes))
        if views:
            await stack.enter_async_context(_counting(views))
        yield looks


@asynccontextmanager
async def _counting(views: CountViews) -> AsyncIterator[None]:
    """Views are written down every few seconds, and at the end."""
    stop = asyncio.Event()
    writing = asyncio.create_task(_write(views, stop))
    try:
        yield
    finally:
        stop.set()
        await writing
        with suppress(Unavailable):  # then those of the last seconds are lost
            await views.write()


async def _write(views: CountViews, stop: asyncio.Event) -> None:
    rounds = Rounds("views of products")
    while not stop.is_set():
        await pause(rounds.wait_s(WRITE_VIEWS_EVERY_S), stop)
        with rounds.survived():
            await views.write()
