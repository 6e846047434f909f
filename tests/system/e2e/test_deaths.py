"""Processes that die, end, or must not start."""

import signal
import threading
import uuid

import httpx
import psycopg
import pytest

from app.main import databases
from app.platform.postgres import migrations
from tests.system.e2e.house import QUICK, House, wait_until


@pytest.fixture(autouse=True)
def happy_again(house: House) -> None:
    """Every test starts with a gateway that works."""
    house.mode("happy")


def _pay_in_the_background(house: House, user_id: uuid.UUID, key: str) -> tuple[threading.Thread, list[object]]:
    answers: list[object] = []

    def pay() -> None:
        try:
            answers.append(house.pay(user_id, 400, key))
        except httpx.HTTPError as error:
            answers.append(error)

    thread = threading.Thread(target=pay)
    thread.start()
    return thread, answers


def _pending(house: House, user_id: uuid.UUID) -> bool:
    return house.query("SELECT status FROM payments WHERE user_id = %s", user_id) == [("PENDING",)]


@pytest.mark.parametrize(("charge", "final", "left"), [("before", "APPROVED", 600), ("never", "FAILED", 1_000)])
def test_an_api_killed_during_the_gateway_call_leaves_a_payment_that_recovery_finishes(
    house: House, charge: str, final: str, left: int
) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", charge=charge, latency_ms=60_000)
    thread, _ = _pay_in_the_background(house, user_id, "killed")
    wait_until(lambda: _pending(house, user_id), "the reservation")
    ((payment_id,),) = house.query("SELECT id::text FROM payments WHERE user_id = %s", user_id)
    if charge == "before":
        wait_until(lambda: house.charge(payment_id) is not None, "the charge")
    house.stop("api", signal.SIGKILL)
    thread.join()
    house.mode("happy")
    house.start_api()
    wait_until(lambda: not _pending(house, user_id), "recovery")
    assert house.query("SELECT status FROM payments WHERE user_id = %s", user_id) == [(final,)]
    assert house.balance(user_id) == left
    again = house.pay(user_id, 400, "killed")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.status_code == (201 if final == "APPROVED" else 504)


def test_sigterm_lets_the_request_under_way_finish(house: House) -> None:
    user_id = house.wallet(1_000)
    house.mode("latency", latency_ms=1_000)  # in which it is seen to be under way
    thread, answers = _pay_in_the_background(house, user_id, "drained")
    wait_until(lambda: _pending(house, user_id), "the reservation")
    assert house.stop("api") == 0
    thread.join()
    (answer,) = answers
    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 201
    house.start_api()


def test_consumers_and_relay_that_were_killed_lose_nothing(house: House) -> None:
    user_id = house.wallet(10_000)
    for name in ("relay", "metrics", "audit"):
        house.stop(name, signal.SIGKILL)
    payments = [house.paid(user_id, 10) for _ in range(20)]
    house.start("relay", "app", "relay")
    house.start("audit", "consumers", "audit")
    house.start("metrics", "consumers", "metrics")
    house.wait_for_trails(payments)


def test_the_api_refuses_to_start_on_a_schema_that_is_behind(house: House) -> None:
    with psycopg.connect(house.database.owner_url, autocommit=True) as connection:
        connection.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0001.ledger'")
    try:
        assert "strongbox migrate up" in house.command("api", code=1)
        assert httpx.get(f"{house.api_url}/readyz").status_code == 503
    finally:
        house.command("migrate", "force", str(migrations.latest(databases.at(house.database.owner_url))))
    wait_until(lambda: httpx.get(f"{house.api_url}/readyz").is_success, "readiness")


def test_a_wrong_setting_stops_the_start_and_is_named(house: House) -> None:
    house.environment["RECOVER_AFTER_S"] = "1"
    try:
        assert "RECOVER_AFTER_S" in house.command("recover", code=2)
    finally:
        house.environment["RECOVER_AFTER_S"] = QUICK["RECOVER_AFTER_S"]


def test_in_the_end_the_books_agree(house: House) -> None:
    house.verify()
