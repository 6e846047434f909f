"""A clean broker, and patience."""

import pytest

from tests.platform.outbox_fixtures import broker, patient_brokers


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_pools: None, patient_brokers: None) -> None:
    """Every pool of these tests, and whoever asks a broker."""


__all__ = ["broker", "patient_brokers"]
