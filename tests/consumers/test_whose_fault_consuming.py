"""A consumer whose messages wait for what is not their fault, and what operators say about those."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from app.contexts.payments.public import EVENTS
from app.kernel.topology import Publication
from app.main.local.roles import Urls
from app.platform.messaging import dead_letters as mend
from app.platform.messaging import worker as workers
from app.platform.messaging.dead_letters import NotBuried
from app.platform.messaging.handing_over import Handle
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.orders import Orders
from app.platform.messaging.worker import Counts
from app.platform.operations import judgement as judge
from app.platform.operations.actions import Actions
from app.platform.operations.health import State
from app.platform.postgres.actions import PostgresActionLog, PostgresActions
from app.platform.postgres.figures import PostgresFigures
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.consumer import Consumer
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters
from consumers.audit import Audit
from tests.platform.burying import Shell, is_deep, shell
from tests.platform.outbox_fixtures import Broker, document, eventually, insert_events, query, running

__all__ = ["shell"]

AUDIT = EVENTS.queue("audit.queue")


async def test_a_nul_in_a_message_puts_it_among_the_dead_letters(broker: Broker, database: Urls) -> None:
    counts, connection = Counts(), Database(database.app_url, "audit")
    async with consuming(broker, database.app_url, Audit(connection), counts):
        await broker.send(document(uuid4()).replace(b'"payment.created"', rb'"payment.\u0000"'))
        await broker.send(document(uuid4()))
        await eventually(lambda: is_deep(broker, "audit.dlq", 1))
        await eventually(lambda: audited(database.app_url) == 1)
    await connection.close()


# The consumer


@asynccontextmanager
async def consuming(broker: Broker, url: str, handle: Handle, counts: Counts) -> AsyncIterator[None]:
    database = Database(url, "orders")
    orders = Orders(database, "audit.queue", "strongbox-audit")
    async with running(Consumer(split(broker.url), [EVENTS], AUDIT, handle, counts, lambda: None, None, orders).run):
        yield


def audited(url: str) -> int:
    return int(query(url, "SELECT count(*) FROM audit.events")[0][0])


async def test_a_right_that_is_missing_buries_nothing_and_goes_on_once_it_is_granted(
    broker: Broker, database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STUCK_BACKOFF_S", (0.1, 0.5))
    query(database.owner_url, "REVOKE INSERT ON audit.events FROM strongbox_app")
    counts, connection = Counts(), Database(database.app_url, "audit")
    async with consuming(broker, database.app_url, Audit(connection), counts):
        for _ in range(30):
            await broker.send(document(uuid4()))
        await eventually(lambda: counts.retries > 40)
        assert counts.stuck_since is not None
        assert (counts.dead_letters, audited(database.owner_url)) == (0, 0)
        query(database.owner_url, "GRANT INSERT ON audit.events TO strongbox_app")
        await eventually(lambda: audited(database.app_url) == 30)
        await eventually(lambda: counts.stuck_since is None)
    await connection.close()
    assert await broker.depth("audit.dlq") == 0


async def test_a_message_is_buried_when_an_operator_says_so_and_once_for_each_time(
    broker: Broker, database: Urls, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STUCK_BACKOFF_S", (0.1, 0.5))
    payment, one, other = uuid4(), uuid4(), uuid4()
    first, second, stays = document(payment, 1, one), document(payment, 2), document(uuid4(), 1, other)
    counts, connection = Counts(), Database(database.app_url, "audit")
    audit = Audit(connection)

    async def handle(documents: Sequence[bytes]) -> None:
        if first in documents or stays in documents:
            raise KeyError
        await audit(documents)

    async with consuming(broker, database.app_url, handle, counts):
        for body in (first, second, stays):
            await broker.send(body)
        await eventually(lambda: counts.stuck_since is not None)
        assert f"buried {one} of audit.queue" in await shell.run("dlq", "bury", "audit.queue", str(one).upper())
        await eventually(lambda: audited(database.app_url) == 1)  # what waited behind it
        [letter] = await RabbitDeadLetters(split(broker.url), [EVENTS]).look("audit.queue")
        (began, buried, ended) = query(database.app_url, "SELECT id, operator, details FROM audit.actions ORDER BY id")
        assert letter.body == first
        assert letter.reason == f"KeyError; buried by {began[1]}, action {began[0]}"
        assert (began[2]["phase"], began[2]["queue"], began[2]["messages"]) == ("begins", "audit.queue", [str(one)])
        assert (buried[1], buried[2]["phase"], buried[2]["began_as"]) == ("strongbox-audit", "buried", began[0])
        assert (ended[2]["phase"], ended[2]["buried"]) == ("ended", 1)

        # Put back it is stuck again, and the old order is over: nobody buries it.
        assert "1 put back" in await shell.run("dlq", "redrive", "--all", "--queue", "audit.queue")
        retries = counts.retries
        await eventually(lambda: counts.retries > retries + 10)
        assert (counts.dead_letters, await broker.depth("audit.dlq")) == (1, 0)
    await connection.close()


async def test_an_order_ends_by_itself_when_its_command_was_killed(database: Urls) -> None:
    connection, message = Database(database.app_url, "orders"), str(uuid4())
    query(
        database.app_url,
        "INSERT INTO audit.actions (operator, action, details, at) SELECT 'somebody', 'dlq bury',"
        " jsonb_build_object('phase', 'begins', 'queue', 'audit.queue', 'messages', jsonb_build_array(%s::text)),"
        " now() - age FROM unnest(ARRAY[interval '31 s', interval '1 s']) AS age",
        message,
    )
    [order] = await Orders(connection, "audit.queue", "strongbox-audit").standing([message])
    assert query(
        database.app_url, "SELECT at < now() - interval '20 s' FROM audit.actions WHERE id = %s", order.number
    ) == [(False,)]
    await connection.close()


async def test_an_order_that_nobody_carries_out_is_withdrawn(broker: Broker, database: Urls, shell: Shell) -> None:

    actions: Actions = PostgresActions(database.app_url, "somebody")
    with pytest.raises(NotBuried, match=r"no consumer of audit\.queue holds"):
        await mend.bury(actions, PostgresActionLog(database.app_url), "audit.queue", str(uuid4()), within_s=0.1)
    phases = query(database.app_url, "SELECT details ->> 'phase' FROM audit.actions ORDER BY id")
    assert phases == [("begins",), ("failed",)]
    assert "there is no queue auditt.dlq" in await shell.run("dlq", "bury", "auditt.queue", str(uuid4()), code=1)
    assert json.loads(await shell.run("dlq", "ls", "--json"))[1]["count"] == 0
    await eventually(lambda: is_deep(broker, "audit.dlq", 0))


async def test_a_consumer_lives_while_a_message_is_stuck_as_each_restart_would_count_as_a_delivery(
    broker: Broker,
) -> None:
    signs = 0

    def sign() -> None:
        nonlocal signs
        signs += 1

    async def handle(_: Sequence[bytes]) -> None:
        raise NotImplementedError

    counts = Counts()
    async with running(Consumer(split(broker.url), [EVENTS], AUDIT, handle, counts, sign).run):
        await broker.send(document(uuid4()))
        await eventually(lambda: counts.retries > 2)
        before = signs
        await eventually(lambda: counts.retries > 4)
        assert counts.stuck_since is not None
        assert signs > before


async def test_status_tells_of_one_event_that_a_consumer_lacks_among_others_that_it_has(database: Urls) -> None:
    events = insert_events(database.owner_url, [uuid4() for _ in range(20)], (1,))
    query(database.owner_url, "UPDATE outbox_events SET sent_at = now() - interval '70 s'")
    query(database.owner_url, "INSERT INTO metrics.inbox SELECT event_id FROM outbox_events")
    query(database.owner_url, "DELETE FROM metrics.inbox WHERE event_id = %s", events[7])
    figures = await PostgresFigures("", database.app_url, 5).consumers(
        [(database.app_url, Publication("payments", EVENTS))]
    )
    assert (figures["metrics"].missing, figures["audit"].missing) == (1, 20)
    assert 70 <= figures["metrics"].sent_s_ago < 130
    health = judge.consumers(figures)
    assert health.state is State.DEGRADED
    assert "`message_stuck`" in str(health.hint)
