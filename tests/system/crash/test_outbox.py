"""The relay dies around each of its steps, and the broker around the relay: every event goes out, none is lost."""

import time
import uuid

import pytest

from app.contexts.payments.public import EVENTS
from tests.pace import slow
from tests.system.crash.fragile import Fragile
from tests.system.crash.load import Load
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until

AUDIT = EVENTS.queue("audit.queue")

CONFIRM = b"\0\x3c\0\x50"  # basic.ack, from the broker


@pytest.mark.long
@pytest.mark.parametrize(
    ("then", "copies"),
    [(Then.HOLD, 1), (Then.LOSE_THE_ANSWER, 2)],
    ids=["before the publish", "after the publish, before the confirm"],
)
def test_a_relay_that_dies_publishing_has_the_event_published_again_with_one_effect(
    house: Fragile, then: Then, copies: int
) -> None:
    user_id, before = house.wallet(1_000), house.counted_so_far()
    house.stop("relay")
    payment_id = house.paid(user_id, 400)
    with house.rabbitmq.trap("publish", then, CONFIRM) as publishing:
        # The consumers have connections of their own, which publish nothing.
        house.begin("relay")
        publishing.wait()
        if then is not Then.HOLD:
            publishing.wait_for_the_answer()
        house.kill("relay")
        publishing.drop()
    assert house.unsent() == 2
    house.begin("relay")
    house.wait_for_trails([payment_id], 60)
    published = house.broker.published(payment_id)
    assert (published.count(1), published[-1]) == (copies, 2)
    house.wait_until_counted(before + 1)
    house.verify()


@pytest.mark.long
def test_a_relay_that_dies_after_the_confirm_before_the_mark_has_the_event_published_again_with_one_effect(
    house: Fragile,
) -> None:
    user_id, before = house.wallet(1_000), house.counted_so_far()
    house.stop("relay")
    payment_id = house.paid(user_id, 400)
    with house.locked("outbox_events"):
        house.begin("relay")
        house.wait_for_session("strongbox-relay", "Lock", "SET sent_at")
        house.kill("relay")
        house.wait_until_rolled_back("strongbox-relay")
    assert house.unsent() == 2
    assert house.broker.published(payment_id) == [1, 2]
    house.begin("relay")
    house.wait_for_trails([payment_id], 60)
    wait_until(lambda: house.unsent() == 0, "the relay to publish again", 60)
    assert sorted(house.broker.published(payment_id)) == [1, 1, 2, 2]
    house.wait_until_counted(before + 1)
    house.verify()


def test_a_relay_whose_confirm_is_lost_publishes_again_by_itself(house: Fragile) -> None:
    user_id, before = house.wallet(1_000), house.counted_so_far()
    with house.rabbitmq.trap("publish", Then.LOSE_THE_ANSWER, CONFIRM) as publishing:
        payment_id = house.paid(user_id, 400)
        publishing.wait_for_the_answer()
    house.wait_for_trails([payment_id], 60)
    assert sorted(house.broker.published(payment_id)) in ([1, 1, 2], [1, 2, 2], [1, 1, 2, 2])
    house.wait_until_counted(before + 1)
    house.verify()


def test_a_relay_told_to_stop_marks_what_it_has_published(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.rabbitmq.trap("publish", Then.HOLD) as publishing:
        payment_id = house.paid(user_id, 400)
        publishing.wait()
        house.processes["relay"].terminate()
        publishing.let_go()
        assert house.processes.pop("relay").wait(60) == 0
    assert house.unsent() <= 1
    house.begin("relay")
    house.wait_for_trails([payment_id], 60)
    assert house.broker.published(payment_id) == [1, 2]
    house.verify()


@pytest.mark.parametrize(
    "missing", ["the queue", *(pytest.param(part, marks=pytest.mark.long) for part in ("its bindings", "the exchange"))]
)
def test_without_a_contract_queue_nothing_is_marked_sent_that_the_queue_does_not_have(
    house: Fragile, missing: str
) -> None:
    user_id = house.wallet(1_000)
    house.pay(user_id, 1)
    house.verify()
    with house.without("audit"):  # it would declare everything again
        match missing:
            case "the queue":
                house.broker.delete_queue(AUDIT.name)
            case "its bindings":
                house.broker.unbind(AUDIT)
            case _:
                house.broker.delete_exchange()
        ids = [house.paid(user_id, 10, str(uuid.uuid4())) for _ in range(5)]
        wait_until(lambda: house.unsent() == 0, "the relay")
        assert house.broker.depth(AUDIT.name) >= 10
    house.wait_for_trails(ids, 60)
    if missing == "the exchange":
        house.broker.watch_again()
    house.verify()


@pytest.mark.long
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_while_the_broker_is_away_payments_go_on_and_their_events_wait(house: Fragile, how: str) -> None:
    user_id, before = house.wallet(10_000), house.counted_so_far()
    early = [house.paid(user_id, 10) for _ in range(5)]
    if how == "stopped":
        house.broker.node.stop()
    else:
        house.broker.node.kill()
    answers = [house.pay(user_id, 10) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {201}
    assert house.unsent() >= 40
    house.broker.node.start()
    house.wait_for_trails([*early, *(body(answer, 201)["payment_id"] for answer in answers)], 60)
    house.wait_until_counted(before + 25)
    house.verify()


@pytest.mark.long
def test_a_broker_killed_under_load_loses_no_event_and_doubles_no_effect(house: Fragile) -> None:
    users = [house.wallet(10_000) for _ in range(4)]
    before = house.counted_so_far()
    with Load(house, users, name="broker-killed") as load:
        wait_until(lambda: len(load.approved_at) >= 50, "some of the load")
        house.broker.node.kill()
        wait_until(lambda: len(load.approved_at) >= 200, "the rest of it")
    house.broker.node.start()
    approved = "SELECT id::text FROM payments WHERE user_id = ANY(%s) AND status = 'APPROVED'"
    ids = [one for (one,) in house.query(approved, users)]
    house.wait_for_trails(ids, 90)
    house.wait_until_counted(before + len(ids))
    house.verify()


def test_under_a_memory_alarm_payments_go_on_and_their_events_wait(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.broker.control("set_vm_memory_high_watermark", "0.000001")
    try:
        began = time.monotonic()
        ids = [house.paid(user_id, 10) for _ in range(10)]
        assert time.monotonic() - began < slow(20)
        # Told to block, the relay neither fails nor marks: what the broker has not read is not sent.
        wait_until(lambda: "relay_waits" in house.log("relay"), "the relay to notice")
        assert house.unsent() == 20
    finally:
        house.broker.control("set_vm_memory_high_watermark", "0.4")
    house.wait_for_trails(ids, 60)
    house.verify()


def test_events_that_a_queue_refuses_wait_until_it_takes_them(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.without("audit"):
        house.broker.control("set_policy", "--apply-to", "queues", "full", "^audit.queue$", '{"max-length": 1}')
        try:
            ids = [house.paid(user_id, 10) for _ in range(10)]
            wait_until(lambda: "(nack)" in house.log("relay") or house.unsent() == 0, "the relay")
            assert house.unsent() > 0, "marked as sent what a queue refused"
        finally:
            house.broker.control("clear_policy", "full")
    house.wait_for_trails(ids, 60)
    house.verify()


@pytest.mark.long
def test_a_relay_whose_database_session_falls_silent_for_good_goes_on(house: Fragile) -> None:
    """It still holds its leases, through another session: no other relay would take over."""
    user_id = house.wallet(1_000)
    house.stop("relay")
    house.begin("relay", DATABASE_URL=house.own["api"]["DATABASE_URL"])
    with house.postgres.trap(r"strongbox-relay: [\s\S]*SET sent_at", Then.SWALLOW_ANSWERS) as marking:
        house.pay(user_id, 400)
        marking.wait()
    later = house.paid(user_id, 100)
    try:
        house.wait_for_trails([later])
    finally:
        house.kill("relay")  # a hanging one would not end when told to
        house.begin("relay")
    house.verify()
