"""Two contexts that publish, each from its own outbox to its own exchange: one's trouble is not the other's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import psycopg
import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from structlog.testing import capture_logs

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Exchange, Publication, Queue, exchange_of, queues_of
from app.main.local.roles import Urls
from app.main.relay import relay
from app.platform.messaging.in_process_broker import InProcessBroker, Subscription
from app.platform.messaging.ports import Confirmed, OutboxMessage, Rejected
from app.platform.postgres.outbox_tables import tables_in
from app.platform.process.settings import Settings
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters
from tests.platform.outbox_fixtures import Broker, clean_broker, document, eventually, insert_events, query, running

STOCK = Queue("stock.queue", "stock.dlq", ("product.*",))
MARKET = Exchange("market.events", (STOCK, Queue("audit.queue", "audit.dlq", ("product.*",))))
PUBLICATIONS = (Publication("payments", EVENTS), Publication("market", MARKET))
PRODUCT = "product.listed"


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with clean_broker(rabbitmq_url) as broker:
        yield broker
        for name in (STOCK.name, STOCK.dead_letters):
            await broker.channel.queue_delete(name)
        with suppress(Exception):
            await broker.channel.exchange_delete(MARKET.name)


@pytest.fixture
def market(database: Urls) -> Urls:
    """A database in which a second context has its outbox."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE SCHEMA market")
        owner.execute(tables_in("market").encode())
    return database


def list_products(url: str, count: int, tenant_id: UUID | None = None) -> None:
    for _ in range(count):
        product, event_id = uuid4(), uuid4()
        query(
            url,
            "INSERT INTO market.outbox_events"
            " (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)"
            " VALUES (%s, %s, %s, 1, %s, %s, 3, now(), %s)",
            *(product, event_id, product, PRODUCT, document(product, 1, event_id).decode(), tenant_id),
        )


def unsent(url: str, schema: str) -> int:
    return int(query(url, f"SELECT count(*) FROM {schema}.outbox_events WHERE sent_at IS NULL")[0][0])


def header(message: DeliveredMessage, name: str) -> object:
    return (message.header.properties.headers or {}).get(name)


def exchange_named(message: DeliveredMessage) -> str | None:
    assert isinstance(message.delivery, spec.Basic.GetOk)
    return message.delivery.exchange


async def test_what_one_exchange_lacks_holds_up_its_own_events_alone(
    market: Urls, broker: Broker, rabbitmq_url: str
) -> None:
    url, tenant = market.app_url, uuid4()
    settings = Settings(database_url=url, rabbitmq_url=rabbitmq_url)
    # Somebody's queue of that name, which is not what the contract says: it cannot be declared.
    await broker.channel.queue_declare(STOCK.name, durable=True)
    async with running(
        lambda stop: relay(settings, [(url, one) for one in PUBLICATIONS], in_process=False, tracer=None, stop=stop)
    ):
        list_products(url, 5, tenant)
        for _ in range(3):
            insert_events(url, [uuid4() for _ in range(10)], (1, 2))
            await eventually(lambda: unsent(url, "payments") == 0)
        assert unsent(url, "market") == 5
        assert query(url, "SELECT DISTINCT attempts FROM market.outbox_events") == [(0,)]
        assert await broker.depth("audit.queue") == 60

        await broker.channel.queue_delete(STOCK.name)
        await eventually(lambda: unsent(url, "market") == 0)
        listed = await broker.take(STOCK.name)
        assert [(header(message, "tenant"), exchange_named(message)) for message in listed] == [
            (str(tenant), MARKET.name)
        ] * 5

        await broker.channel.queue_delete(STOCK.name)
        list_products(url, 5)
        insert_events(url, [uuid4() for _ in range(10)], (1, 2))
        await eventually(lambda: unsent(url, "payments") == unsent(url, "market") == 0)
        assert {header(message, "tenant") for message in await broker.take(STOCK.name)} == {None}
    told = [exchange_named(message) for message in await broker.take("audit.queue")]
    assert told.count(EVENTS.name) == 80
    assert told.count(MARKET.name) >= 10


async def test_dead_letters_of_every_exchange_are_counted_and_their_queues_declared(
    broker: Broker, rabbitmq_url: str
) -> None:
    letters = RabbitDeadLetters([rabbitmq_url], [EVENTS, MARKET])
    names = [queue.name for queue in queues_of([EVENTS, MARKET])]
    assert names == ["metrics.queue", "audit.queue", "stock.queue"]
    assert await letters.counts(names) == dict.fromkeys(names, 0)
    await broker.channel.queue_declare(STOCK.dead_letters, durable=True, arguments={"x-queue-type": "quorum"})
    assert await letters.redrive(STOCK.name, ["x"]) == []
    assert await broker.depth(STOCK.name) == 0


async def test_in_one_process_each_exchange_has_its_own_consumers_too() -> None:
    got: list[tuple[str, int]] = []

    def broker(exchange: Exchange) -> InProcessBroker:
        def consumer(queue: Queue) -> Subscription:
            async def take(documents: Sequence[bytes]) -> None:
                if queue.name == STOCK.name:
                    raise ConnectionError("away")
                got.append((queue.name, len(documents)))

            return Subscription(queue.name, queue.takes, take, lambda _: False)

        return InProcessBroker([consumer(queue) for queue in exchange.queues])

    def message(kind: str) -> OutboxMessage:
        return OutboxMessage(uuid4(), 1, uuid4(), uuid4(), kind, b"{}", 0, 0)

    assert await broker(EVENTS).publish([message("payment.created")]) == [Confirmed()]
    assert got == [("metrics.queue", 1), ("audit.queue", 1)]
    [outcome] = await broker(EVENTS).publish([message(PRODUCT)])
    assert isinstance(outcome, Rejected)


async def test_in_one_process_what_only_another_queue_takes_is_let_go_and_told(market: Urls) -> None:
    url = market.app_url
    settings = Settings(database_url=url, metrics_port=0)
    stock_only = Publication("market", Exchange(MARKET.name, (STOCK,)))
    with capture_logs() as logged:
        async with running(lambda stop: relay(settings, [(url, stock_only)], in_process=True, tracer=None, stop=stop)):
            list_products(url, 5)
            await eventually(lambda: unsent(url, "market") == 0)
    assert [line["queue"] for line in logged if line["event"] == "queue_without_consumer"] == [STOCK.name]
    assert query(url, "SELECT DISTINCT attempts FROM market.outbox_events") == [(0,)]


@pytest.mark.parametrize("in_process", [False, True])
async def test_events_that_no_queue_has_to_have_count_as_sent_and_whoever_has_a_queue_of_his_own_gets_them(
    market: Urls, broker: Broker, rabbitmq_url: str, in_process: bool
) -> None:
    url = market.app_url
    settings = Settings(database_url=url, rabbitmq_url=rabbitmq_url, metrics_port=0)
    nobodys = Publication("market", Exchange(MARKET.name, ()))
    list_products(url, 5)
    async with running(lambda stop: relay(settings, [(url, nobodys)], in_process, tracer=None, stop=stop)):
        await eventually(lambda: unsent(url, "market") == 0)
        if not in_process:
            await broker.channel.queue_declare(STOCK.name, durable=True)
            await broker.channel.queue_bind(STOCK.name, MARKET.name, "product.*")
            list_products(url, 3)
            await eventually(lambda: unsent(url, "market") == 0)
            assert len(await broker.take(STOCK.name)) == 3
    assert query(url, "SELECT DISTINCT attempts FROM market.outbox_events") == [(0,)]


@pytest.mark.parametrize("in_process", [False, True])
async def test_with_nothing_to_relay_the_relay_waits_to_be_told_to_stop(
    database: Urls, rabbitmq_url: str, in_process: bool
) -> None:
    settings = Settings(database_url=database.app_url, rabbitmq_url=rabbitmq_url, metrics_port=0)
    stop = asyncio.Event()
    relaying = asyncio.create_task(relay(settings, [], in_process=in_process, tracer=None, stop=stop))
    done, _ = await asyncio.wait({relaying}, timeout=1)
    assert not done
    stop.set()
    async with asyncio.timeout(60):
        await relaying


def test_a_queue_that_two_exchanges_feed_is_one_queue() -> None:
    [_, audit, _] = queues_of([EVENTS, MARKET])
    assert audit == Queue("audit.queue", "audit.dlq", ("payment.*", "refund.*", "transfer.*", "hold.*", "product.*"))
    assert exchange_of([EVENTS, MARKET], "audit.queue", PRODUCT) == MARKET.name
    assert exchange_of([EVENTS, MARKET], "metrics.queue", PRODUCT) is None
    other = Exchange("other.events", (Queue("audit.queue", "audit.dlq", ("x.*",), ordered=True),))
    with pytest.raises(ValueError, match=r"audit\.queue"):
        queues_of([EVENTS, other])
