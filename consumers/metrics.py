"""The metrics consumer: how many payments reached which status, what they amount to, and how fast the news came.

The totals live in tables, written with the inbox row of each event: they are right straight after a crash, and the same
from whichever of several consumers is asked.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate
from typing import Annotated, Final
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from app.contexts.payments.public import EVENTS
from app.platform.messaging.faults import reason_of
from app.platform.messaging.inbox import Inbox
from app.platform.messaging.inbox_database import Database, DatabaseAway
from app.platform.messaging.received_events import Time, decoded
from consumers.kit.process import Process

QUEUE: Final = EVENTS.queue("metrics.queue")
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, float("inf"))

# One statement, so one transaction: an event counts if and only if its inbox row is new. Everything is written in the
# order of its key, so that two consumers never wait for each other.
_COUNT: Final = """
WITH fresh AS (
    INSERT INTO metrics.inbox (event_id) SELECT id FROM unnest(%(ids)b::uuid[]) AS e(id) ORDER BY id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
), counted AS (
    SELECT e.status, e.currency, e.amount, extract(epoch FROM now() - e.occurred_at)::float8 AS latency_s
    FROM unnest(%(ids)b::uuid[], %(occurred_at)b::timestamptz[], %(statuses)b::text[], %(currencies)b::text[],
                %(amounts)b::bigint[]) AS e(id, occurred_at, status, currency, amount)
    JOIN fresh ON fresh.event_id = e.id
), totals AS (
    INSERT INTO metrics.totals AS t (status, currency, count, amount)
    SELECT status, currency, count(*), sum(amount::numeric) FROM counted GROUP BY status, currency
    ORDER BY status, currency
    ON CONFLICT (status, currency) DO UPDATE SET count = t.count + EXCLUDED.count, amount = t.amount + EXCLUDED.amount
)
INSERT INTO metrics.latency AS l (le, count, sum_s)
SELECT le, count(*), sum(latency_s) FROM (
    SELECT (SELECT min(le) FROM unnest(%(buckets_s)b::float8[]) AS le WHERE c.latency_s <= le) AS le, latency_s
    FROM counted AS c
) AS bucketed
GROUP BY le ORDER BY le
ON CONFLICT (le) DO UPDATE SET count = l.count + EXCLUDED.count, sum_s = l.sum_s + EXCLUDED.sum_s
"""

_TOTALS: Final = "SELECT status, currency, count, amount FROM metrics.totals ORDER BY status, currency"
_LATENCY: Final = "SELECT le, count, sum_s FROM metrics.latency"
INBOX: Final = Inbox("metrics.inbox")


class Payment(msgspec.Struct, frozen=True, gc=False):
    """What is counted of a payment. `amount` is in minor units."""

    # A pattern, not a Literal: what becomes a label is known beforehand, and the error that says so names the pattern.
    status: Annotated[str, Meta(pattern=r"\A(?:PENDING|APPROVED|DECLINED|FAILED)\Z")]
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3,5}\Z")]
    amount: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class PaymentEvent(msgspec.Struct, frozen=True, gc=False):
    """An event about a payment that carries it."""

    id: UUID
    time: Time
    data: Payment


_payment_events: Final = msgspec.json.Decoder(PaymentEvent, strict=False)


class Metrics:
    """Counts payments in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, documents: Sequence[bytes]) -> None:
        """Count the documents' events.

        Raises:
            Malformed: one of the documents is not an event about a payment.
            DatabaseAway: nothing can be counted for now.
        """
        events: dict[UUID, PaymentEvent] = {}
        for document in documents:
            found = decoded(_payment_events, document)
            events[found.id] = found
        arguments = {
            "ids": list(events),
            "occurred_at": [found.time for found in events.values()],
            "statuses": [found.data.status for found in events.values()],
            "currencies": [found.data.currency for found in events.values()],
            "amounts": [found.data.amount for found in events.values()],
            "buckets_s": list(BUCKETS_S),
        }
        async with self._database.connection() as connection:
            await connection.execute(_COUNT, arguments)


async def work(process: Process) -> None:
    """Count the payments of the metrics queue, and serve the counts, until told to stop."""
    # Scrapes and the clean-up have a connection of their own: they must not hold up what is consumed.
    async with process.database() as writing, process.database() as reading:
        await process.feed(
            (EVENTS,),
            QUEUE,
            Metrics(writing),
            (INBOX, reading),
            metrics_port="metrics_port",
            more_metrics=partial(collect, reading),
        )


async def collect(database: Database) -> list[Metric]:
    """The metrics as the tables have them.

    Raises:
        DatabaseAway: the tables are out of reach.
    """
    try:
        totals, latency = await _read(database)
    except DatabaseAway:  # after a restart of the server the idle connection is found broken by its first use
        totals, latency = await _read(database)
    return [*_payments(totals), _latency(latency)]


async def _read(database: Database) -> tuple[list[tuple[str, str, int, int]], list[tuple[float, int, float]]]:
    try:
        async with database.connection() as connection:
            totals = await (await connection.execute(_TOTALS)).fetchall()
            latency = await (await connection.execute(_LATENCY)).fetchall()
    except psycopg.Error as error:
        raise DatabaseAway(reason_of(error)) from error
    return totals, latency


def _payments(rows: Iterable[tuple[str, str, int, int]]) -> list[Metric]:
    number = CounterMetricFamily("strongbox_payments", "Payments that reached a status.", labels=["status", "currency"])
    amount = CounterMetricFamily(
        "strongbox_payment_amount_minor",
        "What the payments that reached a status amount to, in minor units.",
        labels=["status", "currency"],
    )
    for status, currency, count, amount_minor in rows:
        number.add_metric([status, currency], count)
        amount.add_metric([status, currency], float(amount_minor))
    return [number, amount]


def _latency(rows: Iterable[tuple[float, int, float]]) -> Metric:
    found = {le: (count, sum_s) for le, count, sum_s in rows}
    bounds = sorted({*BUCKETS_S, *found})
    cumulated = accumulate(found.get(le, (0, 0.0))[0] for le in bounds)
    return HistogramMetricFamily(
        "strongbox_commit_to_seen_seconds",
        "From an event's time to its being counted here.",
        buckets=[
            ("+Inf" if le == float("inf") else str(le), count) for le, count in zip(bounds, cumulated, strict=True)
        ],
        sum_value=sum(sum_s for _, sum_s in found.values()),
    )
