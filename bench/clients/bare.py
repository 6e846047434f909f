"""`python -m bench.clients.bare PLAN`: the newest events of an outbox, published by a bare aio-pika loop."""

import asyncio
import sys
import time

import aio_pika
import msgspec
import psycopg
import uvloop
from aio_pika.abc import AbstractMessage

AT_ONCE = 500


class Plan(msgspec.Struct, frozen=True):
    """Where the events are, how many of them are meant, and where they go."""

    database_url: str
    rabbitmq_url: str
    exchange: str
    events: int


class Outcome(msgspec.Struct, frozen=True):
    """How many were confirmed, and how many that was a second."""

    events: int
    rate: float


async def _main(plan: Plan) -> Outcome:
    with psycopg.connect(plan.database_url) as connection:
        rows = connection.execute(
            "SELECT event_id::text, type, payload::text FROM outbox_events ORDER BY sent_at DESC LIMIT %s",
            (plan.events,),
        ).fetchall()
    messages: list[tuple[AbstractMessage, str]] = [(_message(*row), row[1]) for row in rows]
    async with await aio_pika.connect(plan.rabbitmq_url) as broker:
        channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(plan.exchange)
        began = time.perf_counter()
        for first in range(0, len(messages), AT_ONCE):
            await asyncio.gather(
                *(exchange.publish(message, key) for message, key in messages[first : first + AT_ONCE])
            )
        return Outcome(len(messages), len(messages) / (time.perf_counter() - began))


def _message(event_id: str, kind: str, payload: str) -> AbstractMessage:
    return aio_pika.Message(
        payload.encode(),
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event_id,
        type=kind,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
