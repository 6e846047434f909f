"""What a payment's own API knows, or could not find out in time, while the database is away or slow."""

import time

import httpx
import psycopg

from tests.system.crash.fragile import TIMES, Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until


def test_payments_that_were_charged_as_the_database_fell_are_settled_by_their_api_once_it_is_back(
    patient: Fragile,
) -> None:
    house = patient
    house.stop("recover")
    users = [house.wallet(1_000) for _ in range(2)]
    house.mode("latency", latency_ms=4_000, charge="before")
    charged = _charges(house)
    answers = [house.pay_later(user_id, 10, f"fall-{n}") for user_id in users for n in range(16)]
    wait_until(lambda: _charges(house) == charged + 32, "all charges to be under way")
    house.server.kill()
    house.server.stop()
    assert {answer.result(60).status_code for answer in answers} == {503}
    house.server.start()
    wait_until(lambda: all(house.statuses(user_id) == ["APPROVED"] * 16 for user_id in users), "what is known")
    again = house.pay(users[0], 10, "fall-0")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert [house.balance(user_id) for user_id in users] == [840, 840]
    house.begin("recover")
    house.verify()


def _charges(house: Fragile) -> int:
    """How many the gateway has."""
    return len(httpx.get(f"{house.gateway_url}/admin/charges").raise_for_status().json()["charges"])


def test_a_settlement_whose_connection_breaks_again_and_again_is_written_by_its_api(patient: Fragile) -> None:
    """Of a settlement and its repetition neither arrives: the client has had its answer by then."""
    house = patient
    house.stop("recover")
    user_id = house.wallet(1_000)
    with (
        house.postgres.trap("strongbox-settle: BEGIN", Then.CUT) as first,
        house.postgres.trap("strongbox-settle: BEGIN", Then.CUT) as second,
        house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as third,
    ):
        answer = house.pay_later(user_id, 400, "cut")
        for trap in (first, second, third):
            trap.wait()
        assert answer.result(60).status_code == 503
        meanwhile = house.pay(user_id, 400, "cut")
        assert body(meanwhile, 409)["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
        third.let_go()
        house.wait_for_status(user_id, "APPROVED")
    assert house.pay(user_id, 400, "cut").headers["Idempotent-Replayed"] == "true"
    assert house.balance(user_id) == 600
    house.begin("recover")
    house.verify()


def test_a_payment_whose_time_goes_in_a_commit_blames_no_gateway(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.postgres.trap(r"strongbox-reserve: \s*INSERT INTO payments", Then.HOLD) as reserving:
        answer = house.pay_later(user_id, 400, "late")
        reserving.wait()
        began = time.monotonic()
        # Half of the request's time is kept to find out what became of a charge: from then on none is made.
        wait_until(lambda: time.monotonic() - began > float(TIMES["REQUEST_TIMEOUT_S"]) / 2, "time to go by")
        reserving.let_go()
        late = answer.result(60)
    error = body(late, 504)["error"]
    assert (error["code"], error["details"]["status"]) == ("GATEWAY_TIMEOUT", "FAILED")
    assert house.query("SELECT status, failure_code FROM payments WHERE user_id = %s", user_id) == [
        ("FAILED", "DEADLINE_EXCEEDED")
    ]
    assert house.at_the_gateway(error["details"]["payment_id"]) == {}
    assert house.pay(user_id, 400, "late").content == late.content
    assert house.balance(user_id) == 1_000
    house.verify()


def test_recovery_that_may_not_look_for_payments_says_so_and_goes_on_once_it_may(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    process, told = house.processes["recover"], house.log("recover").count('"event":"task_fails"')
    with psycopg.connect(house.database.owner_url, autocommit=True) as owner:
        owner.execute("REVOKE UPDATE (recover_after) ON payments FROM strongbox_app")
        try:
            house.mode("timeout", applies_to="all", charge="before", latency_ms=30_000)
            assert house.pay(user_id, 400, "unseen").status_code == 504
            wait_until(lambda: house.log("recover").count('"event":"task_fails"') > told, "recovery to say so")
            assert '"sqlstate":"42501"' in house.log("recover")
            house.mode("happy")
        finally:
            owner.execute("GRANT UPDATE (recover_after) ON payments TO strongbox_app")
    house.wait_for_status(user_id, "APPROVED")
    assert process.poll() is None
    house.verify()
