"""The audit trail has the events of every refund, each once, and no others; and so it has those of payments."""

import pytest

from app.contexts.payments.adapters.postgres.trail import PAYMENTS, REFUNDS, TrailIsComplete
from app.main.local.roles import Urls
from app.platform.postgres.integrity import snapshot
from tests.payments.refunding import Counter

# As the consumer of the trail would; the chain has checks of its own.
_AUDITED = """
    TRUNCATE audit.events;
    INSERT INTO audit.events (position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
    SELECT row_number() OVER (ORDER BY id), event_id, type, subject, sequence, created_at, payload, sha256('x'),
           sha256('y')
    FROM payments.outbox_events;
"""
# So that all of it is due.
_LONG_AGO = """
    UPDATE payments SET created_at = created_at - interval '1 h', finalized_at = finalized_at - interval '1 h';
    UPDATE payments.refunds SET created_at = created_at - interval '1 h', finalized_at = finalized_at - interval '1 h';
    UPDATE payments.outbox_events SET sent_at = now() - interval '1 h';
"""


@pytest.fixture(scope="module")
def audited(opened_counter: Counter) -> Counter:
    """A completed refund, a refused one, and one that is pending, long ago."""
    counter = opened_counter
    payment = counter.paid(counter.customer(), 1_000)
    assert counter.refunded(payment, amount=300)["status"] == "COMPLETED"
    counter.mode("declined", applies_to="refund")
    assert counter.refunded(payment, amount=200)["status"] == "REFUSED"
    counter.mode("500", applies_to="refund")
    assert counter.refund(payment, amount=100).status_code == 502
    counter.mode("happy")
    counter.query(_LONG_AGO)
    return counter


async def offenders(urls: Urls) -> tuple[list[str], list[str]]:
    """What is found of payments, and of refunds."""
    found = []
    for of in (PAYMENTS, REFUNDS):
        async with snapshot(urls.app_url) as trail, snapshot(urls.app_url) as books:
            found.append([line async for line in TrailIsComplete(trail, books, of).offenders()])
    return found[0], found[1]


async def test_what_is_complete_holds(audited: Counter, module_database: Urls) -> None:
    audited.query(_AUDITED)
    assert await offenders(module_database) == ([], [])


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("DELETE FROM audit.events WHERE type = 'refund.completed'", "is COMPLETED, the trail has {refund.requested}"),
        ("DELETE FROM audit.events WHERE type = 'refund.refused'", "is REFUSED, the trail has {refund.requested}"),
        (
            "UPDATE audit.events SET type = 'refund.refused' WHERE type = 'refund.completed'",
            "is COMPLETED, the trail has {refund.requested,refund.refused}",
        ),
        ("UPDATE audit.events SET event_id = gen_random_uuid() WHERE type = 'refund.completed'", "the outbox has"),
        (
            "UPDATE audit.events SET subject = gen_random_uuid() WHERE type = 'refund.refused'",
            "which does not exist",
        ),
        (
            "INSERT INTO audit.events SELECT position + 100, gen_random_uuid(), type, subject, sequence, occurred_at,"
            " received_at, payload, hash, previous_hash FROM audit.events WHERE type = 'refund.completed'",
            "the trail has {refund.requested,refund.completed,refund.completed}",
        ),
    ],
)  # fmt: skip
async def test_what_is_not_is_named_as_the_refunds(
    audited: Counter, module_database: Urls, tampering: str, named: str
) -> None:
    audited.query(_AUDITED)
    columns = "(position, event_id, type, subject, sequence, occurred_at, received_at, payload, hash, previous_hash)"
    audited.query(tampering.replace("INSERT INTO audit.events", f"INSERT INTO audit.events {columns}"))
    of_payments, of_refunds = await offenders(module_database)
    assert of_payments == []
    assert any(named in line for line in of_refunds), of_refunds


async def test_a_word_of_nobodys_is_named_as_the_payments(audited: Counter, module_database: Urls) -> None:
    audited.query(_AUDITED)
    audited.query("UPDATE audit.events SET type = 'refund.lost' WHERE type = 'refund.completed'")
    of_payments, of_refunds = await offenders(module_database)
    assert len(of_payments) == len(of_refunds) == 1
