"""Who asks for it is told whose each message is: by the header that the relay sets, and by nothing in its document."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pamqp.frame
from aiormq import spec
from pamqp.header import ContentHeader

from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.handing_over import OfTenants
from app.platform.messaging.in_process_broker import InProcessBroker, Subscription
from app.platform.messaging.ports import OutboxMessage
from app.platform.messaging.worker import Counts, Delivery, Finished, Worker
from app.platform.operations import judgement
from app.platform.operations.judgement import QueueFigures
from app.platform.rabbitmq.deliveries import Delivered

TENANT = uuid4()


class Taking:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, UUID | None]] = []

    async def __call__(self, documents: Sequence[tuple[bytes, UUID | None]]) -> None:
        self.got += documents


def message(number: int, tenant_id: UUID | None) -> OutboxMessage:
    return OutboxMessage(
        user_id=uuid4(), id=number, event_id=uuid4(), subject=uuid4(), type="a.b", body=b"%d" % number, partition=0,
        attempts=0, tenant_id=tenant_id,
    )  # fmt: skip


def delivered(body: bytes, headers: dict[str, object] | None) -> Delivery:
    """A message as it comes out of a connection's bytes."""
    method = pamqp.frame.marshal(spec.Basic.Deliver("c", 1, redelivered=False, exchange="e", routing_key="a.b"), 1)
    properties = spec.Basic.Properties(headers=headers)  # type: ignore[arg-type] # whatever a stranger sends
    header = pamqp.frame.marshal(ContentHeader(body_size=len(body), properties=properties), 1)
    return Delivery(1, body, Delivered(1, method, header, body))


async def test_in_the_relays_process_it_is_that_of_the_outbox() -> None:
    taking, plain = Taking(), list[bytes]()

    async def take(documents: Sequence[bytes]) -> None:
        plain.extend(documents)

    broker = InProcessBroker(
        [
            Subscription("of.queue", lambda _: True, OfTenants(taking), is_the_messages),
            Subscription("plain.queue", lambda _: True, take, is_the_messages),
        ]
    )
    await broker.publish([message(1, TENANT), message(2, None)])
    assert taking.got == [(b"1", TENANT), (b"2", None)]
    assert plain == [b"1", b"2"]


async def test_from_a_broker_it_is_that_of_the_header() -> None:
    taking = Taking()
    worker = Worker(OfTenants(taking), Counts(), asyncio.Event())
    document = b'{"tenantid": "%s"}' % str(uuid4()).encode()
    deliveries = [
        delivered(document, {"tenant": str(TENANT)}), delivered(document, {"traceparent": "x", "tenant": str(TENANT)}),
        delivered(document, None), delivered(document, {"tenant": "nobody"}), delivered(document, {"tenant": 5}),
        delivered(document, {"other": f"\x06tenantS\x00\x00\x00\x24{TENANT}"}),
    ]  # fmt: skip
    await worker.work(deliveries, Finished())
    assert [tenant for _, tenant in taking.got] == [TENANT, TENANT, None, None, None, None]


def test_status_says_how_whoever_takes_from_a_queue_is_started() -> None:
    figures = {name: QueueFigures(0, 0) for name in ("audit.queue", "webhooks.queue")}
    hint = judgement.broker(figures, workers={"webhooks.queue"}).hint
    assert hint == "nobody consumes: start `python -m consumers audit` and `strongbox webhooks`"
