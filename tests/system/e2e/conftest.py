"""A house that the tests of a module share."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aio_pika
import pytest

from app.contexts.mint.public import EVENTS as MINTED
from app.contexts.payments.public import EVENTS as PAID
from app.contexts.rewards.public import EVENTS as ASKED
from app.contexts.webhooks.context import QUEUE as WEBHOOKS
from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.system.e2e.house import House, running

METRICS_PORTS = ("RELAY_METRICS_PORT", "RECOVER_METRICS_PORT", "CONSUMER_METRICS_PORT")


@contextmanager
def measured(
    database: Urls, rabbitmq_url: str, folder: Path, kind: type[House] = House, **settings: str
) -> Iterator[House]:
    """Every process of Strongbox, each showing its metrics."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    ports = {name: str(free_port()) for name in METRICS_PORTS}
    with running(kind(database, rabbitmq_url, folder, **ports, **settings)) as house:
        yield house


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process of Strongbox, over a database of the module's own."""
    with measured(module_database, rabbitmq_url, tmp_path_factory.mktemp("house")) as house:
        yield house


async def without_what_others_left(rabbitmq_url: str) -> None:
    """The broker is the session's: messages of other tests would be events of payments that this house never made."""
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        for queue in {*PAID.queues, *ASKED.queues, *MINTED.queues, WEBHOOKS}:
            await channel.queue_delete(queue.name)
            await channel.queue_delete(queue.dead_letters)
