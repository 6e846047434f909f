"""The relay dies around each of its steps, and the broker around the relay: every event goes out, none is lost."""

import time
import uuid

import pytest

from app.adapters.rabbitmq import topology
from tests.crash.fragile import Fragile
from tests.crash.proxy import Then
from tests.e2e.house import wait_until

CONFIRM = b"\0\x3c\0\x50"  # basic.ack, from the broker


def _trails(house: Fragile, ids: list[str], limit_s: float = 60) -> None:
    wait_until(lambda: all(len(house.trail(one)) == 2 for one in ids), "the audit trail", limit_s)


@pytest.mark.long
@pytest.mark.parametrize(
    ("then", "copies"),
    [(Then.HOLD, 1), (Then.LOSE_THE_ANSWER, 2)],
    ids=["before the publish", "after the publish, before the confirm"],
)
def test_a_relay_that_dies_publishing_has_the_event_published_again_with_one_effect(
    house: Fragile, then: Then, copies: int
) -> None:
    user_id, before = house.wallet(1_000), house.counted("APPROVED")
    house.stop("relay")
    payment_id = house.pay(user_id, 400).json()["payment_id"]
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
    _trails(house, [payment_id])
    published = house.broker.published(payment_id)
    assert (published.count(1), published[-1]) == (copies, 2)
    house.wait_until_counted(before + 1)
    house.verify()


@pytest.mark.long
def test_a_relay_that_dies_after_the_confirm_before_the_mark_has_the_event_published_again_with_one_effect(
    house: Fragile,
) -> None:
    user_id, before = house.wallet(1_000), house.counted("APPROVED")
    house.stop("relay")
    payment_id = house.pay(user_id, 400).json()["payment_id"]
    with house.locked("outbox_events"):
        house.begin("relay")
        house.wait_for_session("strongbox-relay", "Lock", "SET sent_at")
        house.kill("relay")
        house.wait_until_rolled_back("strongbox-relay")
    assert house.unsent() == 2
    assert house.broker.published(payment_id) == [1, 2]
    house.begin("relay")
    _trails(house, [payment_id])
    wait_until(lambda: house.unsent() == 0, "the relay to publish again", 60)
    assert sorted(house.broker.published(payment_id)) == [1, 1, 2, 2]
    house.wait_until_counted(before + 1)
    house.verify()


def test_a_relay_whose_confirm_is_lost_publishes_again_by_itself(house: Fragile) -> None:
    user_id, before = house.wallet(1_000), house.counted("APPROVED")
    with house.rabbitmq.trap("publish", Then.LOSE_THE_ANSWER, CONFIRM) as publishing:
        payment_id = house.pay(user_id, 400).json()["payment_id"]
        publishing.wait_for_the_answer()
    _trails(house, [payment_id])
    assert sorted(house.broker.published(payment_id)) in ([1, 1, 2], [1, 2, 2], [1, 1, 2, 2])
    house.wait_until_counted(before + 1)
    house.verify()


def test_a_relay_told_to_stop_marks_what_it_has_published(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.rabbitmq.trap("publish", Then.HOLD) as publishing:
        payment_id = house.pay(user_id, 400).json()["payment_id"]
        publishing.wait()
        house.processes["relay"].terminate()
        publishing.let_go()
        assert house.processes.pop("relay").wait(20) == 0
    assert house.unsent() <= 1
    house.begin("relay")
    _trails(house, [payment_id])
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
                house.broker.delete_queue(topology.AUDIT.name)
            case "its bindings":
                house.broker.unbind(topology.AUDIT)
            case _:
                house.broker.delete_exchange()
        ids = [house.pay(user_id, 10, str(uuid.uuid4())).json()["payment_id"] for _ in range(5)]
        wait_until(lambda: house.unsent() == 0, "the relay")
        assert house.broker.depth(topology.AUDIT.name) >= 10
    _trails(house, ids)
    if missing == "the exchange":
        house.broker.watch_again()
    house.verify()


@pytest.mark.long
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_while_the_broker_is_away_payments_go_on_and_their_events_wait(house: Fragile, how: str) -> None:
    user_id, before = house.wallet(10_000), house.counted("APPROVED")
    early = [house.pay(user_id, 10).json()["payment_id"] for _ in range(5)]
    if how == "stopped":
        house.broker.node.stop()
    else:
        house.broker.node.kill()
    answers = [house.pay(user_id, 10) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {201}
    assert house.unsent() >= 40
    house.broker.node.start()
    _trails(house, [*early, *(answer.json()["payment_id"] for answer in answers)])
    house.wait_until_counted(before + 25)
    house.verify()


@pytest.mark.long
def test_a_broker_killed_under_load_loses_no_event_and_doubles_no_effect(house: Fragile) -> None:
    users = [house.wallet(10_000) for _ in range(4)]
    before = house.counted("APPROVED")
    answers = [house.pay_later(users[n % 4], 1) for n in range(200)]
    wait_until(lambda: sum(answer.done() for answer in answers) >= 50, "some of the load")
    house.broker.node.kill()
    ids = [answer.result(30).json()["payment_id"] for answer in answers]
    house.broker.node.start()
    _trails(house, ids, 90)
    house.wait_until_counted(before + 200)
    house.verify()


def test_under_a_memory_alarm_payments_go_on_and_their_events_wait(house: Fragile) -> None:
    user_id = house.wallet(10_000)
    house.broker.control("set_vm_memory_high_watermark", "0.000001")
    try:
        began = time.monotonic()
        ids = [house.pay(user_id, 10).json()["payment_id"] for _ in range(10)]
        assert time.monotonic() - began < 20
        # Told to block, the relay neither fails nor marks: what the broker has not read is not sent.
        wait_until(lambda: "relay_waits" in house.log("relay"), "the relay to notice")
        assert house.unsent() == 20
    finally:
        house.broker.control("set_vm_memory_high_watermark", "0.4")
    _trails(house, ids)
    house.verify()


def test_events_that_a_queue_refuses_wait_until_it_takes_them(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.without("audit"):
        house.broker.control("set_policy", "--apply-to", "queues", "full", "^audit.queue$", '{"max-length": 1}')
        try:
            ids = [house.pay(user_id, 10).json()["payment_id"] for _ in range(10)]
            wait_until(lambda: "(nack)" in house.log("relay") or house.unsent() == 0, "the relay")
            assert house.unsent() > 0, "marked as sent what a queue refused"
        finally:
            house.broker.control("clear_policy", "full")
    _trails(house, ids)
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
    later = house.pay(user_id, 100).json()["payment_id"]
    try:
        _trails(house, [later], 30)
    finally:
        house.kill("relay")  # a hanging one would not end when told to
        house.begin("relay")
    house.verify()
