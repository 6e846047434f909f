"""The API dies, or loses its database, at each point of a payment."""

import pytest

from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until

COMMITTED = b"COMMIT\0"


def _died(answer: object) -> None:
    assert isinstance(answer, Exception), f"a dead process answered {answer}"


def test_an_api_that_dies_before_transaction_1_leaves_nothing_and_the_retry_creates_the_payment(
    house: Fragile,
) -> None:
    user_id = house.wallet(1_000)
    with house.postgres.trap("strongbox-reserve: BEGIN", Then.HOLD) as trap:
        first = house.pay_later(user_id, 400, "before")
        trap.wait()
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert house.query("SELECT FROM idempotency_keys WHERE user_id = %s", user_id) == []
    assert house.statuses(user_id) == []
    house.begin("api")
    again = house.pay(user_id, 400, "before")
    assert (again.status_code, house.balance(user_id)) == (201, 600)
    assert "Idempotent-Replayed" not in again.headers
    house.verify()


@pytest.mark.parametrize(
    "table",
    ["payments", *(pytest.param(table, marks=pytest.mark.long) for table in ("idempotency_keys", "outbox_events"))],
)
def test_an_api_that_dies_inside_transaction_1_leaves_nothing_and_the_retry_creates_the_payment(
    house: Fragile, table: str
) -> None:
    user_id = house.wallet(1_000)
    house.dies_waiting(lambda: house.pay(user_id, 400, "inside"), table, "strongbox-reserve")
    assert house.query("SELECT FROM idempotency_keys WHERE user_id = %s", user_id) == []
    assert house.statuses(user_id) == []
    house.begin("api")
    assert house.pay(user_id, 400, "inside").status_code == 201
    assert house.balance(user_id) == 600
    house.verify()


@pytest.mark.parametrize("session", ["strongbox-reserve", "strongbox-settle"])
@pytest.mark.parametrize("then", [Then.LOSE_THE_ANSWER, Then.CUT])
def test_a_lost_commit_is_decided_by_the_same_process_with_one_payment_and_one_charge(
    house: Fragile, session: str, then: Then
) -> None:
    user_id = house.wallet(1_000)
    key = f"{session}-{then.name}"
    with house.postgres.trap(f"{session}: COMMIT", then, COMMITTED) as trap:
        answer = house.pay(user_id, 400, key)
        trap.wait()
    assert answer.status_code == 201, answer.text
    assert house.statuses(user_id) == ["APPROVED"]
    again = house.pay(user_id, 400, key)
    assert (again.status_code, again.content) == (201, answer.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert house.at_the_gateway(body(answer, 201)["payment_id"])["attempts"]["charge"] == 1
    assert house.balance(user_id) == 600
    house.verify()


def test_a_mark_whose_commit_is_lost_is_made_sure_of_before_the_void_is_sent(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    house.mode("500", charge="never")
    with (
        house.gateway.trap("/void$", Then.HOLD) as void,
        house.postgres.trap("strongbox-settle: COMMIT", Then.LOSE_THE_ANSWER, COMMITTED) as mark,
    ):
        first = house.pay_later(user_id, 400, "mark")
        mark.wait_for_the_answer()
        void.wait()
        assert house.marked(user_id)
        void.let_go()
        answer = first.result(60)
    assert body(answer, 502)["error"]["details"]["status"] == "FAILED"
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.long
def test_no_void_is_sent_while_nobody_knows_whether_its_mark_was_committed(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.mode("500", charge="never")
    with house.without("recover"), house.postgres.trap("strongbox-settle: COMMIT", Then.SWALLOW_ANSWERS) as mark:
        answer = house.pay(user_id, 400, "unknown-mark")
        mark.wait()
        payment_id = house.payment_id(user_id)
        assert answer.status_code in (502, 504)
        assert answer.json()["error"]["details"]["status"] == "PENDING"
        assert house.at_the_gateway(payment_id)["attempts"]["void"] == 0
        house.kill("api")
        house.begin("api")
    house.wait_for_status(user_id, "FAILED")
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.long
def test_an_api_killed_while_its_commit_of_transaction_1_is_unanswered_leaves_one_payment(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.as_superuser() as session:
        session.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
        session.execute("SELECT pg_reload_conf()")
        try:
            first = house.pay_later(user_id, 400, "ghost")
            house.wait_for_session("strongbox-reserve", "SyncRep")
            house.kill("api")
            _died(first.exception(60))
            house.begin("api")
            meanwhile = house.pay(user_id, 400, "ghost")
            assert meanwhile.status_code == 503
            assert "Retry-After" in meanwhile.headers
        finally:
            session.execute("ALTER SYSTEM RESET synchronous_standby_names")
            session.execute("SELECT pg_reload_conf()")
    wait_until(lambda: len(house.statuses(user_id)) == 1, "the transaction")
    house.wait_for_status(user_id, "FAILED")
    again = house.pay(user_id, 400, "ghost")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (504, "true")
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.long
def test_a_commit_whose_wait_for_replication_was_cancelled_is_not_acted_upon(house: Fragile) -> None:
    """It is on this server's disk only: a failover would lose it, and the charge would have no payment."""
    user_id = house.wallet(1_000)
    with house.as_superuser() as session:
        session.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
        session.execute("SELECT pg_reload_conf()")
        try:
            first = house.pay_later(user_id, 400, "cancelled")
            house.wait_for_session("strongbox-reserve", "SyncRep")
            session.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'strongbox-reserve' AND wait_event = 'SyncRep'"
            )
            answer = first.result(60)
            assert answer.status_code == 503, answer.text
            assert house.at_the_gateway(house.payment_id(user_id)) == {}
        finally:
            session.execute("ALTER SYSTEM RESET synchronous_standby_names")
            session.execute("SELECT pg_reload_conf()")
    house.wait_for_status(user_id, "FAILED")
    house.verify()


def test_an_api_that_dies_after_transaction_1_before_the_gateway_call_has_its_payment_failed(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    with house.gateway.trap("POST /charges$", Then.HOLD) as trap:
        first = house.pay_later(user_id, 400, "after-1")
        trap.wait()
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert house.statuses(user_id) == ["PENDING"]
    house.begin("api")
    meanwhile = house.pay(user_id, 400, "after-1")
    if meanwhile.status_code == 409:
        assert meanwhile.json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
        assert "Retry-After" in meanwhile.headers
    house.wait_for_status(user_id, "FAILED")
    assert house.balance(user_id) == 1_000
    assert house.at_the_gateway(house.payment_id(user_id))["status"] == "VOIDED"
    house.verify()


def test_an_api_that_dies_after_the_charge_before_transaction_2_has_its_payment_approved_once(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as trap:
        first = house.pay_later(user_id, 400, "charged")
        trap.wait()
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert house.statuses(user_id) == ["PENDING"]
    house.begin("api")
    house.wait_for_status(user_id, "APPROVED")
    assert house.balance(user_id) == 600
    again = house.pay(user_id, 400, "charged")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    house.verify()


@pytest.mark.long
def test_an_api_that_dies_inside_transaction_2_has_its_payment_approved_once(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.gateway.trap("POST /charges$", Then.HOLD) as trap:
        first = house.pay_later(user_id, 400, "inside-2")
        trap.wait()
        with house.locked("payments"):
            trap.let_go()
            house.wait_for_session("strongbox-settle", "Lock")
            house.kill("api")
            house.wait_until_rolled_back("strongbox-settle")
            _died(first.exception(60))
    assert house.statuses(user_id) == ["PENDING"]
    house.begin("api")
    house.wait_for_status(user_id, "APPROVED")
    assert house.balance(user_id) == 600
    house.verify()
