"""What runs of auctions: beside the API's operations."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.contexts.auctions.container import AuctionsContainer
from app.platform.metrics.gauges import Look, watching


@asynccontextmanager
async def serving(container: AuctionsContainer) -> AsyncIterator[Sequence[Look]]:
    """Whoever watches an auction is told meanwhile what happens to it."""
    watch = container.watch()
    async with watching(watch.run):
        yield [container.watch_metrics().look_at(watch)]
