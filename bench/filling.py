"""Fills a migrated, empty database with final payments and all that belongs to them, as the services leave it behind.

Everything is made by SQL in one transaction, without constraints and indexes: these are made again at its end, and
check what was filled. `strongbox verify` holds on it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from psycopg import Connection

from bench.filling_rows import AUDIT, BOOKS, EVENTS, KEYS, MOVEMENTS, PAYMENTS

_TABLES = (
    "payments", "transactions", "ledger_entries", "idempotency_keys", "payments.outbox_events", "audit.events",
    "metrics.inbox",
)  # fmt: skip

# How full, in percent, pages are filled. A row goes to any page with room for it before a table grows, so the services
# leave no page with such room for long. Rows that come at their full length would leave a hole for one more on each,
# and every payment would go to old pages: 20 reads of them a payment were seen.
_FULL = {"idempotency_keys": 74, "payments": 90}


def fill(owner_url: str, payments: int, wallets: int, began: Callable[[str], None] = lambda _: None) -> None:
    """Fill the owner's database with that many payments, spread evenly over the wallets; tells of each step.

    Raises:
        ValueError: there are payments or audit events in it already.
    """
    sizes = {"payments": payments, "wallets": wallets}
    with psycopg.connect(owner_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        with connection.transaction():
            connection.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL jit = off")
            connection.execute("SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'")
            found = connection.execute("SELECT EXISTS (SELECT FROM payments) OR EXISTS (SELECT FROM audit.events)")
            if found.fetchone() != (False,):
                raise ValueError("the database is not empty")
            with _packed(connection), _without_indexes(connection, began):
                began("payments")
                connection.execute(PAYMENTS, sizes)
                connection.execute(MOVEMENTS, sizes)
                for name, statements in (("books", BOOKS), ("keys", KEYS), ("events", EVENTS), ("audit", AUDIT)):
                    began(name)
                    connection.execute(statements)
        began("statistics")
        connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _packed(connection: Connection) -> Iterator[None]:
    """With pages as full as they come to be; at the end new ones are filled as they were."""
    tables = {
        table: connection.execute(
            "SELECT option_value FROM pg_class, pg_options_to_table(reloptions)"
            " WHERE oid = %s::regclass AND option_name = 'fillfactor'",
            [table],
        ).fetchone()
        for table in _FULL
    }
    for table in tables:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = {_FULL[table]})")
    yield
    for table, fillfactor in tables.items():
        assert fillfactor is not None
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = {fillfactor[0]})")


@contextmanager
def _without_indexes(connection: Connection, began: Callable[[str], None]) -> Iterator[None]:
    """Without the constraints and indexes of the tables that are filled, and what refers to them; at the end all is as
    it was."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = ANY(%(filled)s::regclass[]) AND contype IN ('p', 'u', 'f')"
        " OR confrelid = ANY(%(filled)s::regclass[]) AND contype = 'f' ORDER BY contype = 'f', conname",
        {"filled": list(_TABLES)},
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i"
        " WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS ("
        "SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))",
        [list(_TABLES)],
    ).fetchall()
    for table, name, _ in reversed(constraints):
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    began("indexes")
    for _, definition in indexes:
        connection.execute(definition)
    for table, name, definition in constraints:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def write_journal(url: str, path: Path) -> None:
    """Write what the mock gateway would have kept of the payments, for its MOCK_GATEWAY_JOURNAL."""
    encode = msgspec.json.Encoder().encode
    with psycopg.connect(url) as connection, connection.cursor("journal") as cursor, path.open("wb") as journal:
        cursor.itersize = 10_000
        cursor.execute(
            "SELECT id, provider_id, external_reference, amount, currency, status, failure_code,"
            " extract(epoch FROM created_at)::float8 FROM payments"
        )
        for payment_id, provider_id, reference, amount, currency, status, code, at_s in cursor:
            line: dict[str, object] = {"type": "voided", "payment_id": payment_id}
            if status != "FAILED":
                asked = {"payment_id": payment_id, "amount": amount, "currency": currency}
                request = asked | {"provider_id": provider_id, "external_reference": reference}
                charge = asked | {"charge_id": payment_id, "status": status, "decline_code": code}
                line = {"type": "charged", "at_s": at_s, "request": request, "charge": charge}
            journal.write(encode(line) + b"\n")
