"""Whose fault it is: only what is a message's own goes to the dead letters; all else waits until it is mended, or until
somebody buries that one message."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from app.platform.messaging.faults import is_the_messages
from app.platform.messaging.received_events import Malformed, event
from app.platform.messaging.worker import STUCK_AT_MOST, Counts, Delivery, Finished, Worker
from tests.platform.outbox_fixtures import document


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Malformed("x"), True),
        (psycopg.errors.CheckViolation(), True),
        (psycopg.errors.NumericValueOutOfRange(), True),
        (psycopg.DataError("a NUL in text, found before it is sent"), True),
        (psycopg.errors.UntranslatableCharacter(), False),
        (psycopg.errors.CharacterNotInRepertoire(), False),
        (UnicodeEncodeError("latin-1", "€", 0, 1, "x"), False),
        (NotImplementedError(), False),
        (KeyError("x"), False),
        (ConnectionError(), False),
        (psycopg.errors.UndefinedTable(), False),
        (psycopg.errors.InsufficientPrivilege(), False),
        (psycopg.OperationalError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_a_message_is_to_blame_for_its_own_faults_alone(error: Exception, message: bool) -> None:
    assert is_the_messages(error) is message


@pytest.mark.parametrize("error", [psycopg.errors.UntranslatableCharacter(), psycopg.errors.CharacterNotInRepertoire()])
def test_a_message_with_a_nul_in_it_is_to_blame_for_what_looks_like_an_encoding(error: Exception) -> None:
    assert is_the_messages(error, rb'{"type": "payment.\u0000"}')
    assert not is_the_messages(error, '{"type": "€"}'.encode())


# The worker


async def test_what_is_no_messages_fault_is_tried_without_end_and_holds_up_its_own_payment_only() -> None:
    a, b = uuid4(), uuid4()
    a1, a2, b1 = document(a, 1), document(a, 2), document(b, 1)
    handled: list[bytes] = []
    mended = False

    async def handle(documents: Sequence[bytes]) -> None:
        if a1 in documents and not mended:
            raise KeyError("secret")
        handled.extend(documents)

    counts = Counts()
    worker, outcome = Worker(handle, counts, asyncio.Event()), Finished()
    with capture_logs() as logs:
        await worker.work([Delivery(n, body) for n, body in enumerate([a1, b1, a2])], outcome)
        for _ in range(20):
            tried_at = asyncio.get_running_loop().time()
            await worker.retry(float("inf"), outcome)
    assert (handled, outcome.dead) == ([b1], [])
    assert counts.stuck_since is not None
    assert {(log["event"], log["message_id"], log["reason"]) for log in logs} == {
        ("message_stuck", str(event(a1).id), "KeyError")
    }
    assert all(log["where"].startswith("test_whose_fault.py:") for log in logs)
    retry_at = worker.next_retry_at()
    assert retry_at is not None
    assert tried_at + 15 <= retry_at <= asyncio.get_running_loop().time() + 30
    mended = True
    await worker.retry(float("inf"), outcome)
    assert handled == [b1, a1, a2]
    assert counts.stuck_since is None
    assert worker.next_retry_at() is None


async def test_when_many_are_stuck_it_is_about_none_of_them_and_no_more_are_begun() -> None:
    bodies = [document(uuid4(), 1) for _ in range(300)]
    bodies += [document(event(body).subject, 2) for body in bodies]
    tries = 0
    handled: list[bytes] = []
    mended = False

    async def handle(documents: Sequence[bytes]) -> None:
        nonlocal tries
        tries += 1
        if not mended:
            raise psycopg.errors.UndefinedTable
        handled.extend(documents)

    worker, outcome = Worker(handle, Counts(), asyncio.Event()), Finished()
    deliveries = [Delivery(n, body) for n, body in enumerate(bodies)]
    await worker.work(deliveries[:400], outcome)
    await worker.work(deliveries[400:], outcome)
    assert len(worker.stuck) == STUCK_AT_MOST
    assert tries < 3 * STUCK_AT_MOST + 10
    mended = True
    await worker.retry(float("inf"), outcome)
    assert sorted(delivery.tag for delivery in outcome.done) == list(range(600))
    sequences: dict[UUID, list[int]] = {}
    for found in map(event, handled):
        sequences.setdefault(found.subject, []).append(found.sequence)
    assert all(order == [1, 2] for order in sequences.values())
