"""`strongbox recover`, and the workers of contexts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.main.house import House
from app.main.outboxes import outbox_looks
from app.platform.context import Context, Show, Work, Worker
from app.platform.metrics.gauges import Look, PoolMetrics, looking
from app.platform.process.heartbeat import beat
from app.platform.process.running import metrics_port


async def recover(house: House, stop: asyncio.Event) -> None:
    """Let every context finish what it finds half done, until told to stop."""
    show = _show(house, "recover_metrics_port", outbox_looks(house))
    recoveries = [each.recovery(house.container(each.name), house.people) for each in house.contexts if each.recovery]

    async def working(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            looks = [look for each in recoveries for look in await stack.enter_async_context(each.around)]
            async with show(looks), asyncio.TaskGroup() as tasks:
                for one in (one for each in recoveries for one in each.works):
                    tasks.create_task(one(stop))

    await _run(house, "recover", working, stop)


async def work(house: House, context: Context[Any], worker: Worker[Any], stop: asyncio.Event) -> None:
    """Let the worker of a context work until told to stop."""
    show = _show(house, worker.metrics_port)  # and nothing of the databases of others
    await _run(house, worker.name, worker.work(house.container(context.name), show), stop)


def _show(house: House, port: str, more: Sequence[Look] = ()) -> Show:
    registry = house.platform.registry()

    @asynccontextmanager
    async def show(looks: Sequence[Look]) -> AsyncIterator[None]:
        every = looking(*more, *looks, PoolMetrics(registry, *house.pools).look)
        async with metrics_port(port, house.settings, registry, every):
            yield

    return show


async def _run(house: House, name: str, working: Work, stop: asyncio.Event) -> None:
    """Every pool has been asked for."""
    async with AsyncExitStack() as stack:
        await house.open(stack)
        try:
            async with asyncio.TaskGroup() as tasks:
                alive = tasks.create_task(beat(name))
                await working(stop)
                alive.cancel()
        except ExceptionGroup as errors:  # what an operator can mend is told by what it is
            if len(errors.exceptions) > 1:
                raise
            raise errors.exceptions[0] from None
