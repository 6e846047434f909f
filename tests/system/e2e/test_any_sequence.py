"""Whatever clients do in whatever order: the real API answers and accounts as a model of a few lines predicts."""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from app.main.local.roles import Urls
from tests.system.e2e.clients import Clients
from tests.system.e2e.house import House, wait_until


@pytest.fixture(scope="module")
def house(module_database: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The API and the gateway. Recovery waits for its turn; times are wide, so that a busy machine answers no less."""
    times = {"GATEWAY_ATTEMPTS": "1", "GATEWAY_TIMEOUT_S": "3", "REQUEST_TIMEOUT_S": "12", "RECOVER_AFTER_S": "13"}
    house = House(module_database, "amqp://unused", tmp_path_factory.mktemp("any-sequence"), **times)
    try:
        house.start_gateway()
        house.start_api()
        house.command("provider", "add", "Acme", "--id", str(house.provider_id))
        yield house
    finally:
        house.stop_all()


def test_any_sequence_of_requests_is_answered_and_booked_as_predicted(house: House) -> None:
    everyone: list[Clients] = []
    bounds = settings(
        max_examples=25,
        stateful_step_count=20,
        derandomize=True,
        deadline=None,
        database=None,
        # Twenty steps can be read as they are; to find fewer takes minutes against real processes.
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    with httpx.Client() as client:

        class TheseClients(Clients):
            def __init__(self) -> None:
                super().__init__(house, client, everyone)

        run_state_machine_as_test(TheseClients, settings=bounds)
        house.mode("happy")
        house.environment |= {"GATEWAY_TIMEOUT_S": "0.9", "REQUEST_TIMEOUT_S": "1", "RECOVER_AFTER_S": "1.1"}
        house.start("recover", "app", "recover")
        pending = "SELECT FROM payments WHERE status = 'PENDING' LIMIT 1"
        wait_until(lambda: not house.query(pending), "recovery")
        for clients in everyone:
            clients.recovered()
    assert {order.finally_ for one in everyone for order in one.sent.values()} >= {"APPROVED", "DECLINED", "FAILED"}
    house.command("verify")
