"""Whoever hears and sends dies at each step: each event is sent, under one id, and written down once."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.system.crash.webhook_house import Stranger, WebhookHouse, stranger
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import wait_until


@pytest.fixture
def receiver() -> Iterator[Stranger]:
    with stranger() as one:
        yield one


@pytest.fixture
def sending(
    database: Urls, postgres_server: PostgresServer, rabbitmq_url: str, tmp_path: Path, receiver: Stranger
) -> Iterator[WebhookHouse]:
    asyncio.run(without_what_others_left(rabbitmq_url))
    name = conninfo_to_dict(database.app_url)["dbname"]
    assert isinstance(name, str)
    house = WebhookHouse(database, rabbitmq_url, tmp_path, postgres_server.url(name))
    house.add_webhook(receiver.url)
    try:
        yield house
    finally:
        receiver.free.set()
        house.end()


def test_a_sender_that_dies_between_the_call_and_its_record_is_followed_by_one_who_sends_it_again(
    sending: WebhookHouse, receiver: Stranger
) -> None:
    sending.start("relay", "app", "relay")
    sending.begin()
    receiver.free.clear()
    (event,) = sending.happen()
    wait_until(lambda: bool(receiver.got), "the call")
    sending.stop("webhooks", signal.SIGKILL)
    receiver.free.set()
    assert sending.states() == {event: ("PENDING", 1)}
    sending.begin()
    sending.end_leases()
    sending.delivered([event])
    assert sending.states() == {event: ("DELIVERED", 2)}
    assert receiver.ids() == [event, event]
    assert receiver.got[0][1] == receiver.got[1][1], "the same bytes"
    sending.command("verify")


def test_a_sender_that_dies_behind_the_answer_and_before_its_record_is_followed_as_well(
    sending: WebhookHouse, receiver: Stranger
) -> None:
    sending.start("relay", "app", "relay")
    sending.begin()
    with sending.frozen("webhooks.attempts") as tried:
        (event,) = sending.happen()
        tried()
        sending.die_waiting()
    assert sending.states() == {event: ("PENDING", 1)}
    sending.begin()
    sending.end_leases()
    sending.delivered([event])
    assert receiver.ids() == [event, event]


def test_who_dies_while_it_writes_down_what_it_has_heard_is_followed_by_one_who_hears_it_again(
    sending: WebhookHouse, receiver: Stranger
) -> None:
    sending.start("relay", "app", "relay")
    sending.begin()
    with sending.frozen("webhooks.deliveries") as tried:
        events = sending.happen(5)
        tried()
        sending.die_waiting()
        wait_until(lambda: sending.do("SELECT count(*) FROM webhooks.events") == [(0,)], "nothing to be known")
    assert sending.states() == {}
    sending.begin()
    sending.delivered(events)
    assert sorted(receiver.ids()) == sorted(events), "each once"
    sending.command("verify")


def test_one_has_the_queue_and_all_send_and_who_dies_is_followed(sending: WebhookHouse, receiver: Stranger) -> None:
    sending.start("relay", "app", "relay")
    for name in ("webhooks", "second"):
        sending.begin(name)
    before = sending.happen(20)
    sending.delivered(before)
    sending.stop("webhooks", signal.SIGKILL)
    after = sending.happen(20)
    wait_until(lambda: set(after) <= set(sending.states()), "the second one to hear")
    sending.end_leases()
    sending.delivered([*before, *after])
    assert set(receiver.ids()) == {*before, *after}


def test_a_relay_that_dies_has_nothing_sent_twice_that_was_heard_once(
    sending: WebhookHouse, receiver: Stranger
) -> None:
    sending.begin()
    events = sending.happen(30)
    sending.start("relay", "app", "relay")
    wait_until(lambda: bool(receiver.got), "the first call")
    sending.stop("relay", signal.SIGKILL)
    # what it had published, and not marked, is published again
    sending.do("UPDATE identity.outbox_events SET sent_at = NULL")
    sending.start("relay", "app", "relay")
    sending.delivered(events)
    assert sorted(receiver.ids()) == sorted(events)
    sending.command("verify")


def test_without_a_broker_the_relays_process_hears_and_sends(sending: WebhookHouse, receiver: Stranger) -> None:
    sending.start("relay", "app", "relay", "--in-process")
    events = sending.happen(10)
    sending.delivered(events)
    assert sorted(receiver.ids()) == sorted(events)
    receiver.free.clear()
    held = sending.happen(3)
    wait_until(lambda: set(held) <= set(receiver.ids()), "the calls")
    # whoever is waited for holds up nobody's events
    wait_until(
        lambda: sending.do("SELECT count(*) FROM identity.outbox_events WHERE sent_at IS NULL") == [(0,)],
        "all of it to be relayed",
    )
    receiver.free.set()
    sending.delivered([*events, *held])
    assert sending.stop("relay") == 0


def test_a_sender_that_is_told_to_stop_finishes_what_it_has_begun(sending: WebhookHouse, receiver: Stranger) -> None:
    sending.start("relay", "app", "relay")
    sending.begin()
    receiver.free.clear()
    (event,) = sending.happen()
    wait_until(lambda: bool(receiver.got), "the call")
    sending.processes["webhooks"].send_signal(signal.SIGTERM)
    receiver.free.set()
    assert sending.stop("webhooks") == 0
    assert sending.states() == {event: ("DELIVERED", 1)}
