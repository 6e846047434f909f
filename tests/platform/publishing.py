"""A publisher that is connected to the broker of a test."""

from collections.abc import AsyncIterator

import pytest

from app.contexts.payments.public import EVENTS
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.publisher import RabbitPublisher


@pytest.fixture
async def publisher(rabbitmq_url: str) -> AsyncIterator[RabbitPublisher]:
    publisher = RabbitPublisher(split(rabbitmq_url), EVENTS)
    yield publisher
    await publisher.close()
