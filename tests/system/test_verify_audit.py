"""Whatever is done to the audit trail is named by its position; what is on its way there is not held against it."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.payments.adapters.postgres.trail import SETTLING_S, TrailIsComplete
from app.main.local.roles import Urls
from app.platform.operations.verify import verify
from app.platform.postgres.audit_chain import chain_check
from app.platform.postgres.integrity import snapshot
from bench.filling import fill

# Seven approved ones with two events each, and a declined one with three: the positions are 1 to 17.
PAYMENTS = 8


@pytest.fixture
async def owner(database: Urls) -> AsyncIterator[psycopg.AsyncConnection]:
    """The owner's connection to a database whose trail is in order."""
    fill(database.owner_url, PAYMENTS, wallets=2)
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as connection:
        assert await offenders(database) == []
        yield connection


async def offenders(database: Urls, check: str = "") -> Sequence[str]:
    """What is found in the trail, or by that check."""
    async with snapshot(database.app_url) as trail, snapshot(database.app_url) as books:
        findings = await verify([[chain_check(trail), TrailIsComplete(trail, books)]], lambda *_: None)
    return [line for finding in findings if check in finding.name for line in finding.offenders]


SWAPPED = """
    UPDATE audit.events SET position = 104 WHERE position = 4;
    UPDATE audit.events SET position = 4 WHERE position = 5;
    UPDATE audit.events SET position = 5 WHERE position = 104;
"""
# A row that is right in itself takes the place of position 4; those behind it move on.
INSERTED = """
    UPDATE audit.events SET position = position + 100 WHERE position >= 4;
    UPDATE audit.events SET position = position - 99 WHERE position > 100;
    INSERT INTO audit.events (position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
    SELECT 4, gen_random_uuid(), type, subject, sequence, occurred_at, payload, sha256('x'), hash
    FROM audit.events WHERE position = 3;
"""
ADDED = """
    INSERT INTO audit.events (position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
    SELECT 18, gen_random_uuid(), type, subject, sequence, occurred_at, payload, sha256('x'), hash
    FROM audit.events WHERE position = 17
"""
# The hash of the changed row is made to fit again. That of the next one is not.
REHASHED = """
    UPDATE audit.events SET hash = sha256(previous_hash || convert_to(concat_ws(E'\\n', position, event_id, subject,
        sequence, trunc(extract(epoch FROM occurred_at) * 1000000),
        trunc(extract(epoch FROM received_at) * 1000000), length(type), type || payload::text), 'UTF8'))
    WHERE position = 4;
"""
REPLACED = "UPDATE audit.events SET type = 'payment.failed' WHERE position = 4;" + REHASHED
SPOILED = {
    "position": "UPDATE audit.events SET position = 99 WHERE position = 4",
    "event_id": "UPDATE audit.events SET event_id = gen_random_uuid() WHERE position = 4",
    "type": "UPDATE audit.events SET type = 'refund.created' WHERE position = 4",
    "subject": "UPDATE audit.events SET subject = gen_random_uuid() WHERE position = 4",
    "sequence": "UPDATE audit.events SET sequence = 3 WHERE position = 4",
    "occurred_at": "UPDATE audit.events SET occurred_at = occurred_at - interval '1 us' WHERE position = 4",
    "received_at": "UPDATE audit.events SET received_at = received_at + interval '1 us' WHERE position = 4",
    "payload": "UPDATE audit.events SET payload = (payload::text || ' ')::json WHERE position = 4",
    "hash": "UPDATE audit.events SET hash = sha256('x') WHERE position = 4",
    "previous_hash": "UPDATE audit.events SET previous_hash = sha256('x') WHERE position = 4",
}


@pytest.mark.parametrize("column", SPOILED)
async def test_a_change_of_any_column_is_named(owner: psycopg.AsyncConnection, database: Urls, column: str) -> None:
    columns = await (await owner.execute("SELECT * FROM audit.events")).fetchall()
    assert len(columns[0]) == len(SPOILED)
    await owner.execute(SPOILED[column].encode())
    first = (await offenders(database, "chain"))[0]
    assert first.startswith("position 4 ")
    assert ("was removed" if column == "position" else "was changed") in first


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("DELETE FROM audit.events WHERE position = 1", ["position 1 was removed"]),
        ("DELETE FROM audit.events WHERE position = 9", ["position 9 was removed"]),
        ("DELETE FROM audit.events WHERE position IN (3, 4, 5, 11)", ["positions 3 to 5 were", "position 11 was"]),
        ("DELETE FROM audit.events WHERE position = 17", ["positions 17 to 17 were removed from the end"]),
        ("DELETE FROM audit.events WHERE position > 12", ["positions 13 to 17 were removed from the end"]),
        ("DELETE FROM audit.events", ["positions 1 to 17 were removed from the end"]),
        (ADDED, ["position 18 ", "positions 18 to 18 were added to the end"]),
        (INSERTED, ["position 4 ", "position 5 "]),
        (SWAPPED, ["position 4 ", "position 5 "]),
        (REPLACED, ["position 5 (event "]),
        ("UPDATE audit.head SET position = 16", ["positions 17 to 17 were added to the end, or the head was changed"]),
        ("UPDATE audit.head SET position = 18", ["positions 18 to 18 were removed from the end, or the head was"]),
        ("UPDATE audit.head SET hash = sha256('x')", ["the head is not that of position 17"]),
        ("DELETE FROM audit.head", ["the head is gone"]),
    ],
)
async def test_what_is_removed_added_or_moved_is_named(
    owner: psycopg.AsyncConnection, database: Urls, tampering: str, named: Sequence[str]
) -> None:
    await owner.execute(tampering.encode())
    found = await offenders(database, "chain")
    assert [any(line.startswith(name) for line in found) for name in named] == [True] * len(named), found
    if tampering not in (INSERTED, ADDED, SWAPPED):  # after these the next row does not follow, either
        assert len(found) == len(named)


async def test_a_chain_that_was_made_anew_without_an_event_is_not_complete(
    owner: psycopg.AsyncConnection, database: Urls
) -> None:
    """The owner can make the chain fit; the payments still tell what is missing from its end."""
    await owner.execute("DELETE FROM audit.events WHERE position = 17")
    await owner.execute(
        "UPDATE audit.head SET (position, hash) = (SELECT position, hash FROM audit.events WHERE position = 16)"
    )
    assert await offenders(database, "chain") == []
    (line,) = await offenders(database, "complete")
    assert "APPROVED, the trail has" not in line
    assert "DECLINED, the trail has {payment.created,payment.failed}" in line


async def test_another_event_in_the_place_of_a_committed_one_is_named(
    owner: psycopg.AsyncConnection, database: Urls
) -> None:
    """Of the same type, for the same payment: only its id tells that no transaction has committed it."""
    stranger = uuid4()
    await owner.execute("UPDATE audit.events SET event_id = %s WHERE position = 4", [stranger])
    (line,) = await offenders(database, "complete")
    assert str(stranger) in line
    await owner.execute("DELETE FROM outbox_events")  # as the clean-up does; then there is nothing to compare with
    assert await offenders(database, "complete") == []


async def test_an_event_of_no_known_type_is_named_even_in_an_unbroken_chain(
    owner: psycopg.AsyncConnection, database: Urls
) -> None:
    await owner.execute((ADDED + "; UPDATE audit.events SET type = 'payment.unknown' WHERE position = 18").encode())
    await owner.execute(REHASHED.replace("position = 4", "position = 18").encode())
    await owner.execute(
        "UPDATE audit.head SET (position, hash) = (SELECT position, hash FROM audit.events WHERE position = 18)"
    )
    assert await offenders(database, "chain") == []
    (line,) = await offenders(database, "complete")
    assert "payment.unknown" in line


@pytest.mark.parametrize("events", ["one", "all"])
async def test_what_is_lost_on_its_way_is_named_once_it_could_have_come(
    owner: psycopg.AsyncConnection, database: Urls, events: str
) -> None:
    """Unsent, then sent just now: excused. Sent a while ago, and then cleaned up: lost."""
    ((payment, sequence),) = await (
        await owner.execute("SELECT subject, max(sequence) FROM audit.events GROUP BY subject ORDER BY subject LIMIT 1")
    ).fetchall()
    least = sequence if events == "one" else 1
    await owner.execute("DELETE FROM audit.events WHERE subject = %s AND sequence >= %s", [payment, least])
    await sent(owner, payment, "NULL")
    assert await offenders(database, "complete") == []
    await sent(owner, payment, f"now() - interval '{SETTLING_S - 30} s'")
    assert await offenders(database, "complete") == []
    await sent(owner, payment, f"now() - interval '{SETTLING_S} s'")
    assert str(payment) in (await offenders(database, "complete"))[0]
    await owner.execute("DELETE FROM outbox_events")
    assert str(payment) in (await offenders(database, "complete"))[0]


async def sent(owner: psycopg.AsyncConnection, payment: UUID, when: str) -> None:
    await owner.execute(f"UPDATE outbox_events SET sent_at = {when} WHERE payment_id = %s", [payment])
