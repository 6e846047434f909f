"""An outbox and a publisher in memory, and a clean broker."""

import pytest

from tests.api_fixtures import api, client, logged, transport
from tests.fakes.outbox import FakeOutbox, FakePublisher
from tests.platform.outbox_fixtures import broker


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


__all__ = ["api", "broker", "client", "logged", "transport"]
