"""Events a second from a full outbox to RabbitMQ, beside a loop that publishes the same messages from its memory."""

from collections.abc import Mapping
from typing import Final

import psycopg

from app.contexts.payments.public import EVENTS
from app.main.local.roles import Urls
from app.platform.process.processes import comes_true
from bench import broker, load
from bench.clients.bare import Outcome, Plan
from bench.house import BenchHouse, ending
from bench.results import Measure, measure
from bench.stage import Stage

AUDIT = EVENTS.queue("audit.queue")

LIMIT: Final = "a bare aio-pika loop: gather of 500, confirmed"
DRAIN_LIMIT_S: Final = 300.0
COUNT_LIMIT_S: Final = 60.0

# As if they had never been sent: what the operator's replay does. Marked again, they are the newest again.
_RELEASE: Final = """
    UPDATE payments.outbox_events SET sent_at = NULL
    WHERE (user_id, subject, sequence) IN (
        SELECT user_id, subject, sequence FROM payments.outbox_events WHERE sent_at IS NOT NULL
        ORDER BY sent_at DESC LIMIT %s
    )
"""
_RATE: Final = """
    SELECT count(*) / extract(epoch FROM max(sent_at) - %(began)s)::float8 FROM payments.outbox_events
    WHERE sent_at >= %(began)s
"""


def relay(stage: Stage) -> Mapping[str, Measure]:
    """A relay with nothing but a backlog."""
    payments = stage.sizes.backlog_payments
    with stage.servers.with_payments(payments, stage.sizes.wallets) as database:
        events = count_events(database)
        limits = [bare(stage, database, events)]
        runs, missing = drain(stage, database, events)
        limits.append(bare(stage, database, events))
    found = measure(
        runs, limits, unit="events/s", limit_is=LIMIT, goal=1.5, errors=missing, details={"backlog": events}
    )
    return {"relay": found}


def count_events(database: Urls) -> int:
    """How many events the outbox holds."""
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute("SELECT count(*) FROM payments.outbox_events").fetchone()
    assert row is not None
    return int(row[0])


def publish(stage: Stage, database: Urls, events: int) -> Outcome:
    """Publish the newest events by a bare loop."""
    broker.declare(stage.servers.rabbitmq.url)
    plan = Plan(database.owner_url, stage.servers.rabbitmq.url, EVENTS.name, events)
    return load.client("bare", plan, Outcome)


def bare(stage: Stage, database: Urls, events: int) -> float:
    """The limit, in events a second."""
    stage.say(f"limit: {events:,} events by a bare loop")
    outcome = publish(stage, database, events)
    broker.purge(stage.servers.rabbitmq.url)
    return outcome.rate


def drain(stage: Stage, database: Urls, events: int) -> tuple[list[float], int]:
    """Let a relay publish the newest events, as often as there are repeats; rates, and messages that are missing."""
    url = stage.servers.rabbitmq.url
    rates, missing = [], 0
    with ending(BenchHouse(stage.servers, database, stage.folder)) as house:
        house.start("relay", expect=house.leased)
        for nth in range(stage.sizes.repeats + 1):
            stage.say(f"run {nth} of {stage.sizes.repeats}: {events:,} events" if nth else "warming up")
            rates.append(_drained(house, events))
            # The broker counts what it has confirmed a moment later.
            comes_true(lambda: broker.waiting(url, AUDIT) >= events, COUNT_LIMIT_S)
            missing += max(0, events - broker.waiting(url, AUDIT))
            broker.purge(url)
        house.check_books(with_gateway=False)
    return rates[1:], missing


def _drained(house: BenchHouse, events: int) -> float:
    with psycopg.connect(house.database.owner_url, autocommit=True) as connection:
        connection.execute("VACUUM payments.outbox_events")
        connection.execute(_RELEASE, (events,))
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None

        def is_empty() -> bool:
            cursor = connection.execute("SELECT FROM payments.outbox_events WHERE sent_at IS NULL LIMIT 1")
            return cursor.fetchone() is None

        house.wait(is_empty, "the outbox to be empty", DRAIN_LIMIT_S)
        rate = connection.execute(_RATE, {"began": row[0]}).fetchone()
    assert rate is not None
    return float(rate[0])
