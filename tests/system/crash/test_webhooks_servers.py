"""Broker and database fall under those who hear and send: what happens meanwhile is sent, each event under its id."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from tests.conftest import MakeDatabase
from tests.platform.outbox_fixtures import queues_outlive_a_kill
from tests.system.crash.broker import Broker
from tests.system.crash.webhook_house import Stranger, WebhookHouse, stranger
from tests.system.e2e.house import wait_until


@pytest.fixture
def receiver() -> Iterator[Stranger]:
    with stranger() as one:
        yield one


@pytest.fixture
def sending(
    make_mortal_database: MakeDatabase,
    mortal_postgres: PostgresServer,
    mortal_rabbitmq: RabbitMQNode,
    tmp_path: Path,
    receiver: Stranger,
) -> Iterator[WebhookHouse]:
    """Relay and sender over servers that may be killed."""
    database = make_mortal_database()
    superuser_url = mortal_postgres.url(database.app_url.rpartition("/")[2])
    rabbitmq_url = mortal_rabbitmq.url + Broker(mortal_rabbitmq).new_virtual_host()
    house = WebhookHouse(database, rabbitmq_url, tmp_path, superuser_url)
    house.add_webhook(receiver.url)
    house.start("relay", "app", "relay")
    house.begin()
    try:
        yield house
    finally:
        receiver.free.set()
        house.end()


def test_a_broker_that_is_killed_delays_what_happens_and_no_more(
    sending: WebhookHouse, receiver: Stranger, mortal_rabbitmq: RabbitMQNode
) -> None:
    before = sending.happen(5)
    sending.delivered(before)
    asyncio.run(queues_outlive_a_kill(mortal_rabbitmq))
    mortal_rabbitmq.kill()
    mortal_rabbitmq.stop()
    meanwhile = sending.happen(5)
    mortal_rabbitmq.start()
    sending.delivered([*before, *meanwhile])
    after = sending.happen(5)
    sending.delivered([*before, *meanwhile, *after])
    assert sorted(receiver.ids()) == sorted([*before, *meanwhile, *after]), "each once"
    sending.command("verify")


def test_a_database_that_is_killed_between_the_call_and_its_record_has_it_sent_under_the_same_id(
    sending: WebhookHouse, receiver: Stranger, mortal_postgres: PostgresServer
) -> None:
    receiver.free.clear()
    (event,) = sending.happen()
    wait_until(lambda: bool(receiver.got), "the call")
    mortal_postgres.kill()
    mortal_postgres.stop()
    receiver.free.set()
    mortal_postgres.start()
    others = sending.happen(5)
    wait_until(lambda: {*others} <= {*sending.states()}, "the others to be heard")
    sending.end_leases()
    sending.delivered([event, *others])
    assert {*receiver.ids()} == {event, *others}
    assert len({content for event_id, content in receiver.got if event_id == event}) == 1, "the same bytes"
    sending.command("verify")
