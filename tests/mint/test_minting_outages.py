"""A chain that is away, a database that is, and consumers that die: over the broker, nothing is lost or done twice."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from app.contexts.chain.public import ChainAway
from app.contexts.mint.context import MINT
from app.contexts.mint.public import EVENTS
from app.main.local.roles import Urls
from app.main.relay import relay
from app.platform.messaging.worker import Counts
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consumer
from tests.mint.ledger import Ledger
from tests.mint.minting import TENANT, Minting, request, working
from tests.platform.outbox_fixtures import Broker, broker_as_it_is, eventually, running

(HEARD,) = MINT.consumers


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[Broker]:
    """The exchanges with their queues, empty."""
    async with broker_as_it_is(rabbitmq_url) as broker:
        for queue in (HEARD.queue, *EVENTS.queues):
            for name in (queue.name, queue.dead_letters):
                await broker.channel.queue_delete(name)
        for exchange in (*HEARD.hears, EVENTS):
            await topology.declare(broker.channel, exchange)
        yield broker
        for queue in (HEARD.queue, *EVENTS.queues):
            for name in (queue.name, queue.dead_letters):
                await broker.channel.queue_delete(name)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def minting(database: Urls, ledger: Ledger) -> AsyncIterator[Minting]:
    minting = Minting(database, ledger, MINT_BREAKER_FAILURES="3")
    yield minting
    await minting.close()


@asynccontextmanager
async def consuming(
    broker: Broker, minting: Minting, counts: Counts, alive: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """The consumer at the broker."""
    async with working(minting) as handle:
        consumer = Consumer(split(broker.url), HEARD.hears, HEARD.queue, handle, counts, alive)
        async with running(consumer.run):
            yield


async def send(broker: Broker, *documents: bytes) -> None:
    """Publish them to where they are asked for."""
    (exchange,) = HEARD.hears
    for document in documents:
        await broker.channel.basic_publish(document, exchange=exchange.name, routing_key="mint.requested")


async def depth_is(broker: Broker, queue: str, depth: int) -> bool:
    return await broker.depth(queue) == depth


async def test_while_the_chain_is_away_messages_wait_and_few_calls_are_made(
    broker: Broker, minting: Minting, ledger: Ledger
) -> None:
    ledger.is_away, counts = True, Counts()
    asked = [request() for _ in range(30)]
    async with consuming(broker, minting, counts):
        await send(broker, *(one.document() for one in asked))
        await eventually(minting.rows)
        breaker = minting.container.breaker()
        await eventually(lambda: breaker.state == "open")
        called = len(ledger.calls)
        await eventually(lambda: len(ledger.calls) > called)  # it tries again, one at a time
        assert (minting.heard(), counts.handled, counts.dead_letters) == (0, 0, 0)
        assert set(minting.rows()) == {("REQUESTED",)}
        ledger.is_away = False
        await eventually(lambda: minting.rows() == [("MINTED",)] * 30)
        await eventually(lambda: counts.handled == 30)
    assert (minting.heard(), await broker.depth("mint.dlq"), await broker.depth("mint.queue")) == (30, 0, 0)
    assert len(ledger.mints) == 30


async def test_it_is_well_though_the_chain_is_away(broker: Broker, minting: Minting, ledger: Ledger) -> None:
    """Started anew it would find the chain as it is, and each start counts as a delivery of what it had in hand."""
    ledger.is_away, signs = True, [0]

    def sign() -> None:
        signs[0] += 1

    async with consuming(broker, minting, Counts(), sign):
        await send(broker, request().document())
        await eventually(minting.rows)
        before = signs[0]
        await eventually(lambda: signs[0] > before + 2)
        assert minting.heard() == 0
        ledger.is_away = False
        await eventually(lambda: minting.rows() == [("MINTED",)])


async def test_of_many_calls_that_find_it_away_most_are_not_even_sent(database: Urls, ledger: Ledger) -> None:
    """However long it takes: the breaker does not try again before an hour is over."""
    minting = Minting(database, ledger, MINT_BREAKER_FAILURES="3", MINT_BREAKER_RESET_S="3600")
    ledger.is_away = True
    await _refuses_to_hear(minting, 3)
    called = len(ledger.calls)
    await _refuses_to_hear(minting, 50)
    assert len(ledger.calls) == called
    assert minting.container.breaker().state == "open"
    await minting.close()


async def _refuses_to_hear(minting: Minting, count: int) -> None:
    with pytest.raises(ConnectionError, match=f"does not answer for {count} request"):
        await minting.hear(*(request().document() for _ in range(count)))


async def test_one_of_a_batch_that_is_not_answered_holds_up_no_other(minting: Minting, ledger: Ledger) -> None:
    good, silent = request(), request()
    ledger_mint = ledger.mint

    async def mint(order, timeout_s):  # type: ignore[no-untyped-def]
        if order.request_id == silent.request_id:
            raise ChainAway("away")
        return await ledger_mint(order, timeout_s)

    ledger.mint = mint  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await minting.hear(silent.document(), good.document())
    assert sorted(minting.rows()) == [("REQUESTED",), ("SUBMITTED",)]
    assert minting.heard() == 1


async def test_its_events_are_relayed_to_rewards_and_to_the_audit_trail(
    broker: Broker, minting: Minting, ledger: Ledger
) -> None:
    publication = MINT.publication
    assert publication is not None
    counts = Counts()
    asked = [request() for _ in range(3)]

    async def relaying(stop):  # type: ignore[no-untyped-def]
        settings = minting.settings
        relayed = type(settings)(database_url=minting.url, rabbitmq_url=broker.url)
        await relay(relayed, [(minting.url, publication)], in_process=False, tracer=None, stop=stop)

    async with consuming(broker, minting, counts), running(relaying):
        await send(broker, *(one.document() for one in asked))
        for queue in ("rewards.queue", "audit.queue"):
            await eventually(partial(depth_is, broker, queue, 3))
    told = await broker.take("rewards.queue")
    assert {message.routing_key for message in told} == {"mint.completed"}
    assert {(message.header.properties.headers or {}).get("tenant") for message in told} == {str(TENANT)}


async def test_what_could_never_be_goes_to_the_dead_letters_and_the_rest_goes_on(
    broker: Broker, minting: Minting, ledger: Ledger
) -> None:
    counts = Counts()
    async with consuming(broker, minting, counts):
        await send(broker, request().document(amount="0"), request().document(), b"no event")
        await eventually(lambda: depth_is(broker, "mint.dlq", 2))
        await eventually(lambda: minting.rows() == [("MINTED",)])
