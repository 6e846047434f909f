"""What all tests of minting have."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> None:
    """What is tested here is neither how soon a database counts as away nor how long a lock is waited for."""
