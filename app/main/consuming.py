"""`python -m consumers NAME`, where NAME is a consumer of a context; of some it is `strongbox NAME`."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import click

from app.main import contexts
from app.main.house import House
from app.main.schema_check import check_schema
from app.platform.context import Consumer, Context
from app.platform.messaging.inbox_database import Database
from app.platform.metrics.gauges import PoolMetrics, looking, watching
from app.platform.process.running import CannotServe
from app.platform.process.settings import InvalidSettings, Settings
from consumers.kit.process import Process, command


def names() -> list[str]:
    """The consumers of contexts, switched on or not, that are no workers."""
    every = (consumer for context in contexts.CONTEXTS for consumer in context.consumers)
    return [consumer.name for consumer in every if not consumer.is_worker]


def command_of(name: str) -> click.Command | None:
    """The command that runs the consumer of that name; None if no context has one."""
    for context in contexts.CONTEXTS:
        for consumer in context.consumers:
            if consumer.name == name:
                return command(
                    name, partial(_work, context, consumer), consumer.help, partial(_read, context, consumer)
                )
    return None


def _read(context: Context[Any], consumer: Consumer[Any], found: Mapping[str, str]) -> Settings:
    settings = contexts.load(found=found)
    if context.name not in settings.sections:
        raise InvalidSettings(f"CONTEXTS: {context.name} is switched off")
    return settings.require("database_url", *consumer.required)


async def _work(context: Context[Any], consumer: Consumer[Any], process: Process) -> None:
    """Take what comes into the context's queue, until told to stop."""
    house = House(process.settings, process.tracer)
    registry = house.platform.registry()
    hearing = consumer.work(house.container(context.name), False)  # noqa: FBT003 -- not in the relay's process
    try:
        await check_schema(process.settings, [context.name])
    except CannotServe as error:
        raise click.ClickException(str(error)) from None
    async with AsyncExitStack() as stack:
        await house.open(stack)
        cleaning = Database(process.settings.home(context.name).url, f"strongbox-{consumer.name}")
        stack.push_async_callback(cleaning.close)
        looks = [PoolMetrics(registry, *house.pools).look, *await stack.enter_async_context(hearing.around)]
        await stack.enter_async_context(watching(looking(*looks)))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        for work in hearing.works:
            tasks.create_task(work(process.stop))
        await process.feed(
            consumer.hears,
            consumer.queue,
            hearing.handle,
            (hearing.inbox, cleaning) if hearing.inbox else None,
            metrics_port=consumer.metrics_port,
            registry=registry,
        )
