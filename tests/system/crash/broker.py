"""RabbitMQ as the tests handle it: from outside, with a connection for each word."""

import asyncio
import json
import subprocess
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiormq import spec
from aiormq.abc import AbstractChannel

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Queue
from app.main.local import rabbitmq
from app.main.local.rabbitmq import RabbitMQNode
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import connected

T = TypeVar("T")

WITNESS = "witness"


class Broker:
    """One node, and what is in it."""

    def __init__(self, node: RabbitMQNode) -> None:
        self.node = node

    def begin_anew(self) -> None:
        """Leave only a queue of our own, which gets a copy of everything that is published."""

        async def clear(channel: AbstractChannel) -> None:
            for queue in EVENTS.queues:
                await channel.queue_delete(queue.name)
                await channel.queue_delete(queue.dead_letters)
            await channel.queue_delete(WITNESS)
            await channel.exchange_delete(EVENTS.name)
            await topology.declare(channel, EVENTS)
            await channel.queue_declare(WITNESS, durable=True)
            await channel.queue_bind(WITNESS, EVENTS.name, "#")

        self.do(clear)

    def delete_queue(self, name: str) -> None:
        self.do(lambda channel: channel.queue_delete(name))

    def delete_exchange(self) -> None:
        self.do(lambda channel: channel.exchange_delete(EVENTS.name))

    def unbind(self, queue: Queue) -> None:
        """Take the queue's bindings away; the queue stays."""

        async def unbind(channel: AbstractChannel) -> None:
            for key in queue.bindings:
                await channel.queue_unbind(queue.name, EVENTS.name, key)

        self.do(unbind)

    def watch_again(self) -> None:
        """Bind our own queue again, after the exchange was gone."""
        self.do(lambda channel: channel.queue_bind(WITNESS, EVENTS.name, "#"))

    def publish(self, body: bytes, key: str, message_id: str) -> None:
        properties = spec.Basic.Properties(message_id=message_id, delivery_mode=2)
        self.do(
            lambda channel: channel.basic_publish(
                body, exchange=EVENTS.name, routing_key=key, properties=properties, mandatory=True
            )
        )

    def published(self, payment_id: str) -> list[int]:
        """The sequence numbers of the payment's events, in the order in which they were published."""
        events = [json.loads(body) for body, _ in self._peek(WITNESS) if payment_id.encode() in body]
        return [event["sequence"] for event in events if event["subject"] == payment_id]

    def dead_letters(self, queue: Queue) -> dict[str, str]:
        """The reason for each dead letter, by its message id.

        Each look is a delivery, of which RabbitMQ 4 allows 20: wait for them by `depth`, which takes nothing.
        """
        return {
            str(properties.message_id): str((properties.headers or {}).get("x-death-reason"))
            for _, properties in self._peek(queue.dead_letters)
        }

    def purge(self, name: str) -> None:
        self.do(lambda channel: channel.queue_purge(name))

    def depth(self, name: str) -> int:
        return self.do(lambda channel: channel.queue_declare(name, passive=True)).message_count or 0

    def new_virtual_host(self) -> str:
        """Make a place where nothing of others is; its name."""
        name = uuid.uuid4().hex
        self.control("add_vhost", name)
        self.control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        return name

    def control(self, *words: str) -> None:
        """Run `rabbitmqctl`."""
        script = rabbitmq.installed()
        assert script
        command = [str(script.with_name("rabbitmqctl")), *words]
        environment = self.node._environment() | {"RABBITMQ_CTL_ERL_ARGS": "+S 1:1 +sbwt none"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    def _peek(self, name: str) -> list[tuple[bytes, spec.Basic.Properties]]:
        """All messages of a queue, which go back into it when the connection ends."""

        async def peek(channel: AbstractChannel) -> list[tuple[bytes, spec.Basic.Properties]]:
            found: list[tuple[bytes, spec.Basic.Properties]] = []
            while True:
                message = await channel.basic_get(name)
                if isinstance(message.delivery, spec.Basic.GetEmpty):
                    return found
                found.append((bytes(message.body), message.header.properties))

        return self.do(peek)

    def do(self, work: Callable[[AbstractChannel], Awaitable[T]], virtual_host: str = "") -> T:
        """Do it over a connection of its own."""

        async def do() -> T:
            async with connected([self.node.url + virtual_host], "the tests") as connection:
                return await work(await connection.open_channel())

        return asyncio.run(asyncio.wait_for(do(), 60))


def metrics_total(text: str, status: str) -> float:
    """What the metrics consumer says: how many payments reached the status."""
    start = f'strongbox_payments_total{{currency="USD",status="{status}"}} '
    other = f'strongbox_payments_total{{status="{status}",currency="USD"}} '
    lines: list[Any] = [line for line in text.splitlines() if line.startswith((start, other))]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0
