"""PostgreSQL restarts, stalls, fills its disk; rows are held by others; the API is told to end; clocks are wrong."""

import asyncio
import contextlib
import time
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.pace import slow
from tests.system.crash.conftest import PATIENT
from tests.system.crash.fragile import TIMES, Fragile
from tests.system.crash.load import Load, clients_through_a_sigterm, newcomers_through_a_sigterm
from tests.system.crash.mishaps import FAKETIME, hanging, tiny_disk, waiting_requests
from tests.system.crash.proxy import Then
from tests.system.e2e.house import HEADERS, _ok, body, wait_until

__all__ = ["tiny_disk"]

ANSWER_WITHIN_S = float(TIMES["REQUEST_TIMEOUT_S"]) + 2
HELD_UP_S = float(PATIENT["GATEWAY_TIMEOUT_S"])
"""What takes so long that is not held up has met more than a busy machine."""
ANSWERED = (201, 503, 504)
"""How a payment may end that a busy machine came to late."""


def test_postgresql_restarted_at_once_under_load_is_answered_503_and_served_again_without_a_restart(
    house: Fragile,
) -> None:
    users = [house.wallet(100_000) for _ in range(4)]
    pids = {name: process.pid for name, process in house.processes.items()}
    with Load(house, users) as load:
        wait_until(lambda: len(load.approved_at) > 50, "some payments")
        house.server.kill()
        house.server.stop()
        house.server.start()
        back_at = time.monotonic()
        wait_until(lambda: load.approved_at[-1] > back_at, "service", 10)
    assert set(load.first_answers) <= {201, 503, 502, 504}, load.first_answers
    assert load.hints_missing == 0
    assert load.slowest_s < slow(ANSWER_WITHIN_S)
    assert {name: process.pid for name, process in house.processes.items()} == pids
    assert all(process.poll() is None for process in house.processes.values())
    house.verify()


@pytest.mark.long
def test_postgresql_away_for_a_while_is_answered_503_in_bounded_time(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.server.stop()
    began = time.monotonic()
    answers = [house.pay_later(user_id, 1, f"away-{n}") for n in range(20)]
    for answer in answers:
        assert answer.result(60).status_code == 503, answer.result().text
        assert "Retry-After" in answer.result().headers
    assert time.monotonic() - began < slow(ANSWER_WITHIN_S)
    assert httpx.get(f"{house.api_url}/readyz").status_code == 503
    house.server.start()
    wait_until(lambda: house.pay(user_id, 1, "away-0").status_code == 201, "service", 10)
    house.verify()


def test_a_postgresql_that_hangs_is_answered_503_in_bounded_time_and_service_resumes(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.pay(user_id, 1)
    with hanging(house.server):
        for round_ in range(2):
            began = time.monotonic()
            answers = [house.pay_later(user_id, 1, f"hung-{n}") for n in range(10)]
            assert {answer.result(60).status_code for answer in answers} == {503}
            assert all("Retry-After" in answer.result().headers for answer in answers)
            assert time.monotonic() - began < slow(ANSWER_WITHIN_S), f"round {round_}"
    wait_until(lambda: house.pay(user_id, 1, "hung-0").status_code != 503, "service", 10)
    house.verify()


@pytest.mark.long
def test_a_database_session_that_falls_silent_for_good_holds_up_its_users_for_a_bounded_time(house: Fragile) -> None:
    """As after a power failure of the server, or behind a hanging pooler: nobody ever ends the connection."""
    user_id = house.wallet(1_000)
    with house.postgres.trap("strongbox-reserve: COMMIT", Then.SWALLOW_ANSWERS) as trap:
        first = house.pay_later(user_id, 100, "silent")
        trap.wait()
        assert first.result(60).status_code == 503
    try:
        wait_until(lambda: house.pay(user_id, 100, "another").status_code == 201, "service")
    except AssertionError:
        house.kill("api")  # it would hold up every test that follows
        raise
    house.wait_for_status(user_id, "FAILED", "APPROVED")
    house.verify()


def test_a_wallet_that_someone_else_holds_is_answered_503_and_holds_up_nobody_else(patient: Fragile) -> None:
    """Who waits for it is told so before others have waited long: by the limit on locks, not by that on statements or
    on requests. Which of them it was the server knows; how many seconds that took, a busy machine has its own mind."""
    house = patient
    held, *others = [house.wallet(100_000) for _ in range(9)]
    begins_at = house.server.log.stat().st_size
    with psycopg.connect(house.database.owner_url) as session:
        session.execute("SELECT FROM wallet_balances WHERE user_id = %s FOR UPDATE", (held,))
        with Load(house, others, name="free") as load:
            for n in range(3):
                answer = house.pay(held, 1, f"held-{n}")
                assert body(answer, 503)["error"]["code"] == "UNAVAILABLE"
                assert "Retry-After" in answer.headers
            wait_until(lambda: len(load.approved_at) > 50, "the others")
    said = house.server.log.read_bytes()[begins_at:]
    assert said.count(b"due to lock timeout") >= 3
    assert b"due to statement timeout" not in said
    # Two who pay from one wallet may meet, on a busy machine, for longer than a batch has patience.
    assert set(load.first_answers) <= {201, 503}, load.first_answers
    assert load.first_answers[201] >= 0.95 * load.first_answers.total(), load.first_answers
    assert load.slowest_s < slow(HELD_UP_S)
    assert house.pay(held, 1, "held-0").status_code == 201
    house.verify()


def test_sigterm_under_load_lets_every_request_under_way_finish(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.stop("api")
    house.begin("api", GATEWAY_TIMEOUT_S="8", REQUEST_TIMEOUT_S="12", RECOVER_AFTER_S="13")
    house.mode("latency", latency_ms=2_500)
    answers = [house.pay_later(user_id, 1, f"term-{n}") for n in range(40)]
    wait_until(lambda: len(house.statuses(user_id)) == 40, "all requests to be under way")
    assert house.stop("api") == 0
    assert {answer.result(60).status_code for answer in answers} == {201}
    house.begin("api")
    house.mode("happy")
    assert house.pay(user_id, 1, "term-0").headers["Idempotent-Replayed"] == "true"
    assert house.balance(user_id) == 10_000 - 40
    house.verify()


def test_sigterm_resets_no_connection_that_was_made_before_it(house: Fragile) -> None:
    """Many wait to be accepted at that moment: their requests are sent, and wait to be read."""
    said = asyncio.run(newcomers_through_a_sigterm(house, house.wallet(100_000)))
    assert set(said) <= {*ANSWERED, "refused", "late"}, said
    assert house.processes.pop("api").wait(60) == 0
    house.begin("api")
    house.verify()


def test_requests_that_a_sigterm_overtakes_are_answered(house: Fragile) -> None:
    """They wait to be accepted, or to be read, when the process learns that it is to end."""
    user_id = house.wallet(10_000)
    with house.paused("api"):
        answers = [house.pay_later(user_id, 1, f"overtaken-{n}") for n in range(40)]
        wait_until(lambda: waiting_requests(house.ports["HTTP_PORT"]) == 40, "all of them to be sent")
        house.processes["api"].terminate()
    assert house.processes.pop("api").wait(60) == 0
    codes = {"refused" if isinstance(a.exception(60), httpx.ConnectError) else a.result().status_code for a in answers}
    assert codes <= {*ANSWERED, "refused"}
    house.begin("api")
    house.verify()


def test_sigterm_drops_no_connection_that_clients_keep_open(house: Fragile) -> None:
    """Each client sends its next request on the connection on which it got the answer before."""
    users = [house.wallet(100_000) for _ in range(4)]
    said = asyncio.run(clients_through_a_sigterm(house, users, 16))
    assert set(said) <= {*ANSWERED, "refused", "late"}, said
    house.processes.pop("api").wait(60)
    house.begin("api")
    house.verify()


@pytest.mark.long
def test_at_the_end_of_the_grace_open_requests_are_answered_and_recovery_finishes_them(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.stop("api")
    house.begin("api", SHUTDOWN_GRACE_S="1", REQUEST_TIMEOUT_S="10", GATEWAY_TIMEOUT_S="8", RECOVER_AFTER_S="11")
    house.mode("timeout", charge="before", latency_ms=60_000)
    first = house.pay_later(user_id, 400, "grace")
    house.wait_for_status(user_id, "PENDING")
    assert house.stop("api") == 0
    answer = first.result(60)
    assert body(answer, 504)["error"]["details"]["status"] == "PENDING"
    house.mode("happy")
    house.begin("api")
    house.wait_for_status(user_id, "APPROVED")
    assert house.pay(user_id, 400, "grace").status_code == 201
    house.verify()


@pytest.mark.long
def test_a_full_disk_is_answered_503_with_no_half_effect_and_service_resumes_when_there_is_room(
    house: Fragile, tiny_disk: Path
) -> None:
    user_id = house.wallet(1_000_000)
    assert house.pay(user_id, 1).status_code == 201
    with (tiny_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)
    refused = None
    for n in range(5_000):
        answer = house.pay(user_id, 1, f"full-{n}")
        if answer.status_code != 201:
            refused = f"full-{n}"
            break
    assert refused is not None, "the disk never was full"
    assert body(answer, 503)["error"]["code"] == "UNAVAILABLE"
    assert "Retry-After" in answer.headers
    (tiny_disk / "filler").unlink()
    wait_until(lambda: house.pay(user_id, 1, refused).status_code == 201, "service")
    house.verify()


@pytest.mark.long
def test_clocks_that_are_off_by_an_hour_change_nothing(house: Fragile) -> None:
    library = next((path for path in FAKETIME if path and Path(path).exists()), None)
    if library is None:
        pytest.skip("libfaketime is not installed (Debian: apt-get install libfaketime, or give LIBFAKETIME its path)")
    user_id = house.wallet(1_000)
    offsets = {"api": "+1h", "recover": "-1h", "relay": "+1h", "metrics": "-1h", "audit": "+1h"}
    for name, offset in offsets.items():
        house.stop(name)
        house.begin(
            name, LD_PRELOAD=library, FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1"
        )
    wait_until(lambda: _ok(f"{house.api_url}/readyz"), "the API")
    began = time.time()
    answer = house.pay(user_id, 100, "clock")
    assert answer.status_code == 201
    ((age_s,),) = house.query(
        "SELECT extract(epoch FROM now() - created_at)::float8 FROM payments WHERE user_id = %s", user_id
    )
    assert age_s <= time.time() - began + 1, "the database's clock alone tells when"
    house.mode("timeout", applies_to="all", latency_ms=30_000)
    assert house.pay(user_id, 100, "unknown").status_code == 504
    house.wait_for_status(user_id, "APPROVED", "PENDING")
    house.mode("happy")
    house.wait_for_status(user_id, "APPROVED", "FAILED")
    assert httpx.get(f"{house.api_url}/wallets/{user_id}/balance", headers=HEADERS).status_code == 200
    house.verify()
    for name in offsets:
        house.stop(name)
        house.begin(name)
