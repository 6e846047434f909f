"""`strongbox verify` over many payments: it holds, sees every table, and needs no more memory for more of them."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.payments.adapters.http.answers import HttpAnswers
from app.contexts.payments.adapters.operations.checks import checks_of_the_books
from app.contexts.payments.adapters.postgres.event_documents import document
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.domain.events import created, refunded, settled
from app.contexts.payments.domain.payment import Status
from app.kernel.ids import EventId
from app.main.local.roles import Urls
from app.platform.operations.verify import verify
from app.platform.postgres.integrity import snapshot
from bench.filling import fill
from bench.filling_rows import FUNDED_MINOR, user_id
from bench.verify import gateway, verified
from tests.conftest import MakeDatabase

FEW, MANY = 2_000, 20_000


async def test_it_holds_over_many_payments_in_bounded_memory(make_fresh_database: MakeDatabase, tmp_path: Path) -> None:
    """Every check, the gateway's record included. The long form: `make verify-million`."""
    runs = []
    for payments in (FEW, MANY):
        database = make_fresh_database()
        fill(database.owner_url, payments, wallets=100)
        with gateway(database.app_url, tmp_path) as gateway_url:
            runs.append(verified(DATABASE_URL=database.app_url, GATEWAY_URL=gateway_url))
        holds = re.search(r"^all \d+ checks hold$", runs[-1].said, re.MULTILINE)
        assert (runs[-1].code, holds is not None) == (0, True), runs[-1].said
    few, many = runs
    assert many.memory_mib < 1.25 * few.memory_mib


async def test_many_offenders_are_counted_in_bounded_memory(make_fresh_database: MakeDatabase) -> None:
    """When everything is wrong the first few are named, the others counted."""
    runs = []
    for payments in (FEW, MANY):
        database = make_fresh_database()
        fill(database.owner_url, payments, wallets=100)
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("UPDATE audit.events SET received_at = received_at + interval '1 s', subject = event_id")
        runs.append(verified(DATABASE_URL=database.app_url))
        assert (runs[-1].code, f"… and {2.1 * payments - 20:.0f} more" in runs[-1].said) == (1, True), runs[-1].said
    few, many = runs
    assert many.memory_mib < 1.25 * few.memory_mib


async def test_a_payload_is_read_whatever_its_spelling(database: Urls) -> None:
    """Members in another order are no offence, another event's are, and so is what is no event at all."""
    fill(database.owner_url, 5, wallets=1)
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as owner:
        await owner.execute("UPDATE outbox_events SET payload = payload::jsonb::json")
        assert await offences_in_the_outbox(database) == 0
        for spoiled in ("payload::jsonb - 'id'", """payload::jsonb || '{"id": 7}'""", "'[1]'", """'"x"'"""):
            await owner.execute(f"UPDATE outbox_events SET payload = ({spoiled})::json WHERE sequence = 1")
            assert await offences_in_the_outbox(database) == 5


async def offences_in_the_outbox(database: Urls) -> int:
    async with snapshot(database.app_url) as books:
        checks = [check for check in checks_of_the_books(books, 24, 24) if check.name == "payments_match_their_events"]
        (finding,) = await verify([checks], lambda *_: None)
    return finding.offences


@pytest.fixture
async def filled(database: Urls) -> AsyncIterator[psycopg.AsyncConnection]:
    """A database of forty payments out of three wallets; a connection that reads it."""
    fill(database.owner_url, 40, wallets=3)
    async with await psycopg.AsyncConnection.connect(database.app_url) as connection:
        yield connection


async def rows(connection: psycopg.AsyncConnection, query: str, *values: Any) -> Sequence[Sequence[Any]]:
    return await (await connection.execute(query.encode(), values)).fetchall()


async def test_what_is_filled_in_is_what_the_services_write(filled: psycopg.AsyncConnection) -> None:
    """The events' documents and the stored answers are the same to the byte."""
    payments = [payment_of(row) for row in await rows(filled, f"SELECT {PAYMENT_COLUMNS} FROM payments p")]
    assert {payment.status for payment in payments} == {Status.APPROVED, Status.DECLINED, Status.FAILED}
    for payment in payments:
        ((answer,),) = await rows(
            filled, "SELECT response_body FROM idempotency_keys WHERE payment_id = %s", payment.id
        )
        assert bytes(answer) == HttpAnswers().settled(payment).body
        events = await rows(
            filled,
            "SELECT o.event_id, o.payload::text, a.payload::text, t.id FROM outbox_events o"
            " JOIN audit.events a USING (event_id)"
            " LEFT JOIN transactions t ON t.payment_id = o.payment_id AND t.kind = 'REFUND'"
            " WHERE o.payment_id = %s ORDER BY o.id",
            payment.id,
        )
        assert payment.finalized_at is not None
        pending = payment._replace(status=Status.PENDING, failure_code=None, finalized_at=None)
        told = [created(pending, EventId(events[0][0])), settled(payment, EventId(events[1][0]))]
        if payment.status is not Status.APPROVED:
            refund_id = TransactionId(events[2][3])
            told.append(refunded(payment, refund_id, EventId(events[2][0]), payment.finalized_at))
        assert [(sent, audited) for _, sent, audited, _ in events] == [(document(event),) * 2 for event in told]


async def test_the_consumers_tables_are_filled_in_too(filled: psycopg.AsyncConnection) -> None:
    totals = await rows(filled, "SELECT status, count FROM metrics.totals ORDER BY status")
    assert totals == [("APPROVED", 36), ("DECLINED", 2), ("FAILED", 2), ("PENDING", 40)]
    ((inbox, latency),) = await rows(
        filled, "SELECT (SELECT count(*) FROM metrics.inbox), (SELECT sum(count) FROM metrics.latency)"
    )
    assert (inbox, latency) == (80, 80)


async def test_wallets_are_known_by_their_number(filled: psycopg.AsyncConnection) -> None:
    held = await rows(filled, "SELECT user_id, current_balance FROM wallet_balances")
    assert {user for user, _ in held} == {user_id(nth) for nth in range(3)}
    assert all(FUNDED_MINOR - 40 * 10_000 < balance < FUNDED_MINOR for _, balance in held)


def test_a_database_with_payments_is_not_filled_again(database: Urls) -> None:
    fill(database.owner_url, 1, wallets=1)
    with pytest.raises(ValueError, match="not empty"):
        fill(database.owner_url, 1, wallets=1)


def test_constraints_and_indexes_are_there_again(database: Urls, make_fresh_database: MakeDatabase) -> None:
    """As in a database that was only migrated."""
    fill(database.owner_url, 10, wallets=1)
    found = []
    for one in (database, make_fresh_database()):
        with psycopg.connect(one.owner_url) as connection:
            found.append([
                connection.execute(query).fetchall() for query in (
                    "SELECT schemaname, indexname, indexdef FROM pg_indexes ORDER BY 1, 2",
                    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
                    " ORDER BY 1, 2",
                )
            ])  # fmt: skip
    assert found[0] == found[1]
