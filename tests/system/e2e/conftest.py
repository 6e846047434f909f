"""A house that the tests of a module share."""

import asyncio
from collections.abc import Iterator

import aio_pika
import pytest

from app.adapters.rabbitmq.topology import QUEUES
from app.main.local.processes import free_port
from app.main.local.roles import Urls
from tests.e2e.house import House, running

METRICS_PORTS = ("RELAY_METRICS_PORT", "RECOVER_METRICS_PORT", "CONSUMER_METRICS_PORT")


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process of Strongbox, over a database of the module's own."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    ports = {name: str(free_port()) for name in METRICS_PORTS}
    with running(House(module_database, rabbitmq_url, tmp_path_factory.mktemp("house"), **ports)) as house:
        yield house


async def without_what_others_left(rabbitmq_url: str) -> None:
    """The broker is the session's: messages of other tests would be events of payments that this house never made."""
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        for queue in QUEUES:
            await channel.queue_delete(queue.name)
            await channel.queue_delete(queue.dead_letters)
