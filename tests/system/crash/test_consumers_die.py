"""Consumers die around their effect, and messages come that no consumer can take."""

import pytest

from app.contexts.payments.public import EVENTS
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import wait_until

AUDIT = EVENTS.queue("audit.queue")

TABLES = {"audit": "audit.events", "metrics": "metrics.inbox"}


def _pay(house: Fragile, count: int) -> list[str]:
    user_id = house.wallet(1_000)
    return [house.paid(user_id, 10) for _ in range(count)]


def _trails(house: Fragile, ids: list[str]) -> None:
    house.wait_for_trails(ids)


@pytest.mark.long
@pytest.mark.parametrize("name", ["audit", "metrics"])
def test_a_consumer_that_dies_before_its_effect_is_committed_gets_the_messages_again(house: Fragile, name: str) -> None:
    before = house.counted_so_far()
    with house.locked(TABLES[name]):
        ids = _pay(house, 3)
        house.wait_for_session(f"strongbox-{name}", "Lock")
        house.kill(name)
        house.wait_until_rolled_back(f"strongbox-{name}")
    house.begin(name)
    _trails(house, ids)
    house.wait_until_counted(before + 3)
    house.verify()


def test_a_metrics_consumer_that_dies_over_its_totals_counts_every_status_once(house: Fragile) -> None:
    def counted() -> dict[str, float]:
        return {status: house.counted(status) for status in ("PENDING", "APPROVED", "DECLINED", "FAILED")}

    house.counted_so_far()
    before = counted()
    with house.locked("metrics.totals"):
        ids = _pay(house, 3)
        house.wait_for_session("strongbox-metrics", "Lock")
        house.kill("metrics")
        house.wait_until_rolled_back("strongbox-metrics")
    house.begin("metrics")
    after = before | {status: before[status] + 3 for status in ("PENDING", "APPROVED")}
    wait_until(lambda: counted() == after, "the totals")
    _trails(house, ids)
    wait_until(lambda: house.broker.depth("metrics.queue") == 0, "the metrics queue to be empty")
    assert counted() == after
    house.verify()


@pytest.mark.parametrize("name", ["audit", pytest.param("metrics", marks=pytest.mark.long)])
def test_a_consumer_that_dies_after_its_effect_before_the_ack_has_one_effect(house: Fragile, name: str) -> None:
    before = house.counted_so_far()
    other = "metrics" if name == "audit" else "audit"
    house.stop(other)
    with house.rabbitmq.trap("ack", Then.HOLD) as acking:
        ids = _pay(house, 3)
        acking.wait()
        house.kill(name)
        acking.drop()
    assert house.query(f"SELECT count(*) FROM {TABLES[name]}")[0][0] > 0
    house.begin(name)
    house.begin(other)
    _trails(house, ids)
    house.wait_until_counted(before + 3)
    house.verify()


@pytest.mark.long
def test_two_consumers_of_a_kind_have_one_effect(house: Fragile) -> None:
    before = house.counted_so_far()
    house.begin("audit2")
    ids = _pay(house, 15)
    _trails(house, ids)
    assert house.stop("audit2") == 0
    house.wait_until_counted(before + 15)
    house.verify()


def test_a_message_that_is_no_event_is_buried_with_its_reason_while_the_others_flow_on(house: Fragile) -> None:
    house.broker.publish(b"{no event", "payment.created", "poison")
    ids = _pay(house, 5)
    _trails(house, ids)
    for queue in EVENTS.queues:
        wait_until(lambda queue=queue: house.broker.depth(queue.dead_letters) == 1, queue.dead_letters)  # type: ignore[misc]
        assert "malformed" in house.broker.dead_letters(queue)["poison"]
    wait_until(lambda: house.broker.depth(AUDIT.dead_letters) == 1, "what was looked at to be back")
    # Put back it is still poison: it is tried again, and buried again, once.
    assert "1 put back" in house.consumers_command("redrive", "audit")
    wait_until(lambda: house.broker.depth(AUDIT.dead_letters) == 1, "the second burial")
    assert [*house.broker.dead_letters(AUDIT)] == ["poison"]
    for queue in EVENTS.queues:
        house.broker.purge(queue.dead_letters)
    house.verify()


def test_an_event_that_cannot_be_stored_is_buried_and_a_redrive_mends_it_once_it_can(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.stop("audit")
    payment_id = house.paid(user_id, 10)
    with house.as_superuser() as session:
        session.execute(f"ALTER TABLE audit.events ADD CONSTRAINT not_now CHECK (subject <> '{payment_id}') NOT VALID")
        house.begin("audit")
        others = _pay(house, 5)
        _trails(house, others)
        wait_until(lambda: house.broker.depth(AUDIT.dead_letters) == 2, "the dead letters")
        assert all("23514" in reason for reason in house.broker.dead_letters(AUDIT).values())
        assert house.trail(payment_id) == []
        wait_until(lambda: house.broker.depth(AUDIT.dead_letters) == 2, "what was looked at to be back")
        session.execute("ALTER TABLE audit.events DROP CONSTRAINT not_now")
    assert "2 put back" in house.consumers_command("redrive", "audit")
    _trails(house, [payment_id])
    assert house.broker.dead_letters(AUDIT) == {}
    house.verify()


@pytest.mark.long
def test_consumers_wait_for_a_database_that_does_not_take_their_work_and_bury_nothing(house: Fragile) -> None:
    with house.locked("audit.events"):
        ids = _pay(house, 3)
        wait_until(lambda: "consumer_waits" in house.log("audit"), "the consumer to wait")
    _trails(house, ids)
    assert house.broker.dead_letters(AUDIT) == {}
    house.verify()
