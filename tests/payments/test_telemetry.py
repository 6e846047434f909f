"""What is counted at the ports, and what is looked at now and then."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from app.contexts.payments.adapters.metrics.payments import CountedSettle, GatewayMetrics
from app.contexts.payments.adapters.metrics.recovery import RecoveryMetrics, TimedPending
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle import Marked, Settle, Settlement
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, NotSent, Voided
from app.contexts.payments.public import EVENTS
from app.kernel.errors import Unavailable
from app.platform.idempotency.keys import Answer
from app.platform.messaging.consumer_metrics import ConsumerMetrics
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage, Rejected
from app.platform.messaging.worker import Counts, Delivery
from app.platform.metrics import gauges as watch
from app.platform.metrics.batches import BatchMetrics
from app.platform.metrics.gauges import looking, watching
from app.platform.metrics.relay import CountedPublisher, PublishingMetrics, QueueMetrics
from tests.builders import NOON, payment

AUDIT = EVENTS.queue("audit.queue")

NEW = Answered(Answer(201, b""))
OLD = Answered(Answer(201, b""), replayed=True)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def counted(registry: CollectorRegistry, name: str) -> dict[tuple[str, ...], float]:
    """The samples of that name that are not 0, by the values of their labels."""
    samples = [sample for metric in registry.collect() for sample in metric.samples if sample.name == name]
    return {tuple(sample.labels.values()): sample.value for sample in samples if sample.value}


async def test_a_payment_counts_where_it_became_final_and_only_there(registry: CollectorRegistry) -> None:
    one = payment()
    settlements: list[tuple[Settlement, Answered | Marked]] = [
        (Settlement(one, Approved()), NEW),
        (Settlement(one, Approved()), OLD),
        (Settlement(one, Approved()), NEW),
        (Settlement(one, Approved()), Marked(one)),
        (Settlement(one, Declined("whatever the gateway says")), NEW),
        (Settlement(one, NotSent(FailureCode.GATEWAY_TIMEOUT)), NEW),
        (Settlement(one, Voided(FailureCode.GATEWAY_ERROR)), NEW),
    ]

    async def settle(_: Sequence[Settlement]) -> Sequence[Answered | Marked]:
        return [result for _, result in settlements]

    metrics = CountedSettle(cast("Settle", settle), registry)
    assert await metrics([settlement for settlement, _ in settlements]) == [result for _, result in settlements]
    assert counted(registry, "strongbox_payments_settled_total") == {
        ("APPROVED", ""): 2,
        ("DECLINED", ""): 1,
        ("FAILED", "GATEWAY_TIMEOUT"): 1,
        ("FAILED", "GATEWAY_ERROR"): 1,
    }


def test_calls_and_attempts_are_counted_apart(registry: CollectorRegistry) -> None:
    metrics = GatewayMetrics(registry)
    metrics.observe("charge", "Approved", ["timeout", "answered"], 0.3)
    metrics.observe("charge", "Unknown", ["timeout", "error", "error"], 2.0)
    metrics.observe("void", "Voided", ["answered"], 0.1)
    calls = {("charge", "approved"): 1, ("charge", "unknown"): 1, ("void", "voided"): 1}
    assert counted(registry, "strongbox_gateway_calls_total") == calls
    attempts = {("charge", "timeout"): 2, ("charge", "answered"): 1, ("charge", "error"): 2, ("void", "answered"): 1}
    assert counted(registry, "strongbox_gateway_attempts_total") == attempts
    assert counted(registry, "strongbox_gateway_call_duration_seconds_sum") == {("charge",): 2.3, ("void",): 0.1}


def test_a_batch_is_counted_with_its_size_and_its_time(registry: CollectorRegistry) -> None:
    observe = BatchMetrics(registry).of("settle")
    observe(5, 0.25)
    observe(7, 0.5)
    assert counted(registry, "strongbox_batch_size_sum") == {("settle",): 12}
    assert counted(registry, "strongbox_batch_duration_seconds_sum") == {("settle",): 0.75}


class Broker:
    """Publishes as it is told."""

    def __init__(self) -> None:
        self.ends: list[Sequence[Confirmed | Rejected] | Exception] = []

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Confirmed | Rejected]:
        match self.ends.pop(0):
            case Exception() as error:
                raise error
            case outcomes:
                return outcomes


async def test_events_are_counted_by_what_became_of_them(registry: CollectorRegistry) -> None:
    broker = Broker()
    metrics = CountedPublisher(broker, PublishingMetrics(registry))
    messages = cast("list[OutboxMessage]", [None] * 3)
    broker.ends = [[Confirmed(), Rejected("why"), Confirmed()], BrokerUnavailable("away")]
    assert await metrics.publish(messages) == [Confirmed(), Rejected("why"), Confirmed()]
    with pytest.raises(BrokerUnavailable):
        await metrics.publish(messages)
    events = {("published",): 2, ("rejected",): 1, ("failed",): 3}
    assert counted(registry, "strongbox_relay_events_total") == events
    assert counted(registry, "strongbox_relay_batch_size_count") == {(): 2}
    assert counted(registry, "strongbox_relay_publish_duration_seconds_count") == {(): 2}


async def test_recovery_is_counted_by_what_it_came_to(registry: CollectorRegistry) -> None:
    metrics = RecoveryMetrics(registry)
    for result in (NEW, OLD, StillPending(payment(), FailureCode.GATEWAY_TIMEOUT), Unavailable("away"), KeyError()):
        metrics.observe(result)
    attempts = {("settled",): 2, ("pending",): 1, ("unavailable",): 1, ("failed",): 1}
    assert counted(registry, "strongbox_recovery_attempts_total") == attempts


async def test_a_look_for_pending_payments_counts_when_there_was_one(registry: CollectorRegistry) -> None:
    class Pending:
        away = False

        async def take(self, limit: int, older_than_s: float, lease_s: float) -> list[Any]:
            if self.away:
                raise Unavailable("it is away")
            return [payment()] * limit

    pending = Pending()
    timed = TimedPending(pending, registry)
    assert len(await timed.take(2, 1, 1)) == 2
    pending.away = True
    with pytest.raises(Unavailable):
        await timed.take(2, 1, 1)
    assert counted(registry, "strongbox_recovery_sweep_duration_seconds_count") == {(): 1}
    assert counted(registry, "strongbox_recovery_failed_sweeps_total") == {(): 1}


async def test_queues_that_cannot_be_seen_have_no_figures(registry: CollectorRegistry) -> None:
    metrics = QueueMetrics(["amqp://127.0.0.1:1"], EVENTS.queues, registry)
    metrics._messages.labels("audit.dlq").set(7)
    async with watching(metrics.watch), asyncio.timeout(60):
        while counted(registry, "strongbox_queue_messages"):  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.01)


async def test_a_look_that_fails_leaves_the_others_alone() -> None:
    seen = asyncio.Event()

    async def away() -> None:
        raise Unavailable("it is away")

    async def broken() -> None:
        raise KeyError

    async def fine() -> None:
        seen.set()

    async with watching(looking(away, broken, fine)), asyncio.timeout(60):
        await seen.wait()


async def test_the_end_waits_for_a_look_under_way_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "END_WITHIN_S", 1.0)
    ended: list[str] = []

    async def patient(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0)
        ended.append("finished")

    async def stuck(stop: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async with watching(patient, stuck):
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ended == ["finished", "cancelled"]


def test_a_consumer_tells_what_it_did_and_how_old_the_oldest_is_that_it_has_in_hand() -> None:
    counts = Counts(handled=7, retries=3, dead_letters=1)

    def told() -> dict[str, float]:
        samples = [one for metric in ConsumerMetrics(AUDIT, counts).collect() for one in metric.samples]
        assert {one.labels["queue"] for one in samples} == {"audit.queue"}
        return {one.name.removeprefix("strongbox_consumer_"): one.value for one in samples}

    did = {"messages_total": 7, "retries_total": 3, "dead_letters_total": 1, "stuck_seconds": 0}
    assert told() == did | {"oldest_message_age_seconds": 0}
    at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    bodies = [b"nonsense", json.dumps({"time": at}).encode(), json.dumps({"time": NOON.isoformat()}).encode()]
    counts.held = {tag: Delivery(tag, body) for tag, body in enumerate(bodies)}
    assert 300 <= told()["oldest_message_age_seconds"] < 360
    counts.held = {1: Delivery(1, json.dumps({"time": "2999-01-01T00:00:00Z"}).encode())}
    assert told()["oldest_message_age_seconds"] == 0
    counts.stuck_since = time.monotonic() - 70
    assert 70 <= told()["stuck_seconds"] < 130
