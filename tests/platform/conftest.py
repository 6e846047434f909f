"""An outbox and a publisher in memory, and a clean broker."""

import pytest

from tests.api_fixtures import api, client, logged, transport
from tests.fakes.outbox import FakeOutbox, FakePublisher
from tests.platform.outbox_fixtures import broker, patient_brokers


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_pools: None, patient_brokers: None) -> None:
    """Every pool of these tests, and whoever asks a broker."""


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


__all__ = ["api", "broker", "client", "logged", "patient_brokers", "transport"]
