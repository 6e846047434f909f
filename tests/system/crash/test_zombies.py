"""Processes that are paused at the worst moment and wake up when others have done their work; and several of a kind."""

import signal
import uuid

import pytest

from tests.system.crash.fragile import EARLY, Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until


def test_an_approval_in_the_hands_of_a_stopped_process_meets_the_mark_of_recovery(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    with (
        house.recovery_gateway.trap("/void$", Then.HOLD) as void,
        house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling,
    ):
        first = house.pay_later(user_id, 400, "zombie")
        settling.wait()  # approved: the answer is in its hands
        with house.paused("api"):
            house.mode("wrong_amount", applies_to="ask")  # what makes recovery void it
            with house.early_recovery():
                void.wait()
                assert house.marked(user_id)
                with house.paused("recover"):  # its void stays under way
                    settling.let_go()
                    house.processes["api"].send_signal(signal.SIGCONT)
                    answer = first.result(60)
                    assert answer.status_code == 504, answer.text
                    details = answer.json()["error"]["details"]
                    assert (details["status"], details["refunded"]) == ("PENDING", False)
                    assert (house.statuses(user_id), house.balance(user_id)) == (["PENDING"], 600)
                house.mode("happy")
                void.let_go()
                house.wait_for_status(user_id, "FAILED")
    assert house.balance(user_id) == 1_000
    assert house.at_the_gateway(house.payment_id(user_id))["status"] == "VOIDED"
    again = house.pay(user_id, 400, "zombie")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (504, "true")
    house.verify()


@pytest.mark.long
def test_while_the_void_of_the_api_is_under_way_recovery_approves_nothing(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    house.mode("wrong_amount", applies_to="ask")
    with (
        house.gateway.trap("POST /charges$", Then.LOSE_THE_ANSWER) as charge,
        house.gateway.trap("/void$", Then.HOLD) as void,
        house.recovery_gateway.trap("/void$", Then.HOLD) as repeated,
    ):
        first = house.pay_later(user_id, 400)
        charge.wait_for_the_answer()
        void.wait()
        assert house.marked(user_id)
        # From here on whoever asks finds an approved charge of the right amount.
        house.mode("happy")
        assert house.at_the_gateway(house.payment_id(user_id))["status"] == "APPROVED"
        with house.early_recovery():
            repeated.wait()
            assert house.statuses(user_id) == ["PENDING"]
            repeated.let_go()
            house.wait_for_status(user_id, "FAILED")
        void.let_go()
        answer = first.result(60)
    assert answer.json()["error"]["details"]["status"] in ("FAILED", "PENDING")
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.long
def test_recovery_that_holds_an_approval_while_the_api_marks_settles_nothing(patient: Fragile) -> None:
    """The answer to its question is older than the mark."""
    house = patient
    user_id = house.wallet(1_000)
    recovery_database = {"DATABASE_URL": house.own["api"]["DATABASE_URL"]}
    with (
        house.gateway.trap("POST /charges$", Then.LOSE_THE_ANSWER),
        house.gateway.trap("GET /charges/", Then.HOLD) as question,
        house.gateway.trap("/void$", Then.HOLD) as void,
        house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling,
    ):
        house.stop("recover")
        first = house.pay_later(user_id, 400)
        question.wait()
        house.begin("recover", **EARLY, **recovery_database)
        settling.wait()  # recovery has asked and found an approval
        house.mode("wrong_amount", applies_to="ask")
        question.let_go()
        void.wait()
        assert house.marked(user_id)
        settling.let_go()
        wait_until(lambda: "payment_still_pending" in house.log("recover"), "recovery to meet the mark")
        assert house.statuses(user_id) == ["PENDING"]
        void.let_go()
        first.result(60)
    house.mode("happy")
    house.wait_for_status(user_id, "FAILED")
    house.stop("recover")
    house.begin("recover")
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.parametrize("outcome", ["APPROVED", pytest.param("DECLINED", marks=pytest.mark.long)])
def test_an_api_that_sleeps_over_its_settlement_reads_what_recovery_made_of_it(patient: Fragile, outcome: str) -> None:
    house = patient
    user_id = house.wallet(1_000)
    house.mode("happy" if outcome == "APPROVED" else "declined")
    with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling:
        first = house.pay_later(user_id, 400, "sleeper")
        settling.wait()
        with house.paused("api"), house.early_recovery():
            house.wait_for_status(user_id, outcome)
            settling.let_go()
    answer = first.result(60)
    assert (answer.status_code, answer.json().get("status")) == (201, outcome)
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert house.pay(user_id, 400, "sleeper").content == answer.content
    assert house.balance(user_id) == (600 if outcome == "APPROVED" else 1_000)
    house.verify()


def test_an_api_that_sleeps_before_its_charge_wakes_up_to_a_tombstone(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    with house.gateway.trap("POST /charges$", Then.HOLD) as charging:
        first = house.pay_later(user_id, 400, "late")
        charging.wait()
        with house.paused("api"), house.early_recovery():
            house.wait_for_status(user_id, "FAILED")
            charging.let_go()
    answer = first.result(60)
    assert body(answer, 504)["error"]["details"]["status"] == "FAILED"
    assert house.pay(user_id, 400, "late").content == answer.content
    assert house.balance(user_id) == 1_000
    charge = house.at_the_gateway(house.payment_id(user_id))
    assert (charge["status"], charge["charges_made"]) == ("VOIDED", 0)
    house.verify()


@pytest.mark.long
def test_two_recovery_workers_and_a_paused_third_settle_each_payment_once(house: Fragile) -> None:
    users = [house.wallet(1_000) for _ in range(6)]
    house.mode("timeout", applies_to="all", charge="before", latency_ms=30_000)
    house.begin("recover2")
    answers = [house.pay_later(user_id, 10, f"many-{n}") for user_id in users for n in range(5)]
    assert {answer.result(60).status_code for answer in answers} == {504}
    wait_until(lambda: "payment_still_pending" in house.log("recover2"), "the second worker")
    with house.paused("recover"):
        house.mode("happy")
        wait_until(lambda: all(house.statuses(user_id) == ["APPROVED"] * 5 for user_id in users), "the outcomes", 40)
    assert house.stop("recover2") == 0
    assert all(house.balance(user_id) == 950 for user_id in users)
    house.verify()


@pytest.mark.long
def test_a_relay_that_sleeps_over_its_lease_marks_nothing_that_another_relays_by_then(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.rabbitmq.trap("publish", Then.SWALLOW_ANSWERS, b"\0\x3c\0\x50") as publishing:
        answer = house.pay(user_id, 400)
        publishing.wait_for_the_answer()
        with house.paused("relay"):
            house.begin("relay2")
            wait_until(lambda: house.unsent() == 0, "the second relay to take over", 60)
    payment_id = body(answer, 201)["payment_id"]
    wait_until(lambda: len(house.trail(payment_id)) == 2, "the audit trail")
    assert set(house.broker.published(payment_id)) == {1, 2}
    assert house.stop("relay2") == 0
    later = house.paid(user_id, 100)
    wait_until(lambda: len(house.trail(later)) == 2, "the relay that woke up", 60)
    house.verify()


@pytest.mark.long
def test_a_consumer_that_sleeps_over_its_heartbeats_has_no_second_effect(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    before = house.counted_so_far()
    house.stop("metrics")
    with house.rabbitmq.trap("ack", Then.HOLD) as acking:
        answers = [house.pay(user_id, 10) for _ in range(3)]
        acking.wait()
        with house.paused("audit"):
            house.begin("audit2")
            ids = [body(answer, 201)["payment_id"] for answer in answers]
            house.wait_for_trails(ids, 60)
            wait_until(lambda: house.broker.depth("audit.queue") == 0, "the queue", 60)
    assert house.stop("audit2") == 0
    house.begin("metrics")
    house.wait_until_counted(before + 3)
    house.verify()


@pytest.mark.long
def test_two_relays_publish_each_event_once_and_in_order(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.begin("relay2")
    wait_until(lambda: "partitions_leased" in house.log("relay2"), "the second relay to hold a share", 60)
    users = [user_id, *(house.wallet(1_000) for _ in range(5))]
    ids = [house.paid(user, 1, str(uuid.uuid4())) for user in users for _ in range(4)]
    house.wait_for_trails(ids)
    assert all(house.broker.published(one) == [1, 2] for one in ids[::6])
    assert house.stop("relay2") == 0
    house.verify()
