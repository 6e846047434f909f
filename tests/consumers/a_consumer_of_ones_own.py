"""The example of a consumer of one's own: its queue, its tables, and what it counted."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.main.local.roles import Urls
from consumers.examples import spending
from tests.platform.outbox_fixtures import Broker, clean_broker, query

EXAMPLES = Path(spending.__file__).parent
QUEUE, DEAD = "spending.queue", "spending.dlq"
USER = UUID(int=7)


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        for queue in (QUEUE, DEAD):
            await broker.channel.queue_delete(queue)
        yield broker


@pytest.fixture
def tables(database: Urls) -> Urls:
    """A database with the example's tables, made from its file."""
    query(database.owner_url, (EXAMPLES / "spending.sql").read_text())
    return database


async def is_deep(broker: Broker, queue: str, count: int) -> bool:
    return await broker.depth(queue) == count
