"""An outbox and a broker in memory."""

import pytest

from tests.fakes.outbox import FakeOutbox, FakePublisher


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()
