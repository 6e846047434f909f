"""What the product waits for no longer than suits a machine with time, waited for as long as a busy one takes."""

from collections.abc import Iterator

import pytest

from app.platform.postgres import lanes, pool


@pytest.fixture(scope="module")
def patient_pools() -> Iterator[None]:
    """Who needs a connection waits for it as long as a busy machine takes to make one, and does not see it away; nor is
    what takes such a machine long taken for a server that hangs. Locks are waited for as long as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "WAIT_S", 30.0)
        patch.setattr(pool, "CHECK_S", 30.0)
        patch.setattr(pool, "RECONNECT_S", 5.0)
        patch.setattr(pool, "SILENCE_S", 90.0)
        patch.setattr(lanes, "STALLED_AFTER_S", 60.0)
        patch.setattr(lanes, "MEND_S", 30.0)
        patch.setattr("app.contexts.identity.application.known_tenants.WITHIN_S", 30.0)
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            patch.setitem(pool._SESSION, limit, 60_000)
        yield


@pytest.fixture(scope="module")
def patient_locks(patient_pools: None) -> Iterator[None]:
    """Beside that, whoever holds a row is waited for as long as a busy machine takes to let go of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pool._SESSION, "lock_timeout", 60_000)
        yield
