"""The schema: there and back again, one run at a time, and never changed under the feet of who has run it."""

import hashlib
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import psycopg
import pytest

from app.adapters.postgres.outbox import PARTITIONS
from app.main import migrations
from app.main.local.roles import Urls, make_database

# A migration that has been published is never edited: whoever has run it would not get the change. When one has to be
# mended before its first release, its checksum here is changed with it.
CHECKSUMS = {
    "0001.ledger": "61f87481c614ba4a",
    "0002.consumers": "fe1cda1b5d7ae833",
    "0003.bytes": "54cefd3b9f5fa0c5",
    "0004.bytes": "0e5136eb04ea76e3",
}

ALL = ["0001.ledger", "0003.bytes", "0002.consumers", "0004.bytes"]
"""In the order in which they are run: the service's, then the consumers'."""

_SCHEMA = """
    SELECT 'column', table_schema, table_name, column_name,
           concat(data_type, is_nullable, column_default, collation_name)
    FROM information_schema.columns WHERE table_schema IN ('public', 'audit', 'metrics')
    UNION ALL
    SELECT 'index', schemaname, tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname IN ('public', 'audit', 'metrics')
    UNION ALL
    SELECT 'constraint', n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
    WHERE n.nspname IN ('public', 'audit', 'metrics')
    UNION ALL
    SELECT 'privilege', table_schema, table_name, grantee || coalesce(column_name, ''), privilege_type
    FROM information_schema.column_privileges WHERE grantee = 'strongbox_app'
    ORDER BY 1, 2, 3, 4, 5
"""


@pytest.fixture
def empty(postgres_url: str, make_fresh_database: object) -> str:
    """A database of this test's own, with nothing in it."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    return f"{postgres_url.rpartition('/')[0]}/{name}"


def schema(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return [row for row in connection.execute(_SCHEMA).fetchall() if not str(row[2]).startswith(("_yoyo", "yoyo"))]


def strongbox(url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app", "migrate", *words],
        env={"DATABASE_URL": url, "PATH": ""}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_up_down_and_up_again_gives_the_same_schema(empty: str) -> None:
    bare = schema(empty)
    assert migrations.up(empty, empty) == ALL
    there = schema(empty)
    assert len(there) > 100
    assert migrations.up(empty, empty) == []
    assert migrations.down(empty, empty, 1) == ["0004.bytes"]
    assert migrations.version(empty, empty) == 3
    assert migrations.down(empty, empty, 9) == ["0003.bytes", "0002.consumers", "0001.ledger"]
    assert schema(empty) == bare
    migrations.up(empty, empty)
    assert schema(empty) == there


def test_each_home_gets_its_own_migrations_when_there_are_two(empty: str, database: Urls, postgres_url: str) -> None:
    other = f"empty_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, other)
    consumers = f"{postgres_url.rpartition('/')[0]}/{other}"
    assert migrations.up(empty, consumers) == ALL
    assert {row[1] for row in schema(empty)} == {"public"}
    assert {row[1] for row in schema(consumers)} >= {"audit", "metrics"}
    assert migrations.version(empty, consumers) == migrations.latest() == 4


def test_two_runs_at_once_take_turns(empty: str) -> None:
    ran: list[str] = []
    threads = [threading.Thread(target=lambda: ran.extend(migrations.up(empty, empty))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ran) == sorted(ALL)


def test_a_lock_that_a_killed_run_left_behind_holds_nobody_up(empty: str) -> None:
    migrations.up(empty, empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert migrations.down(empty, empty, 1) == ["0004.bytes"]


def test_the_command_line_walks_the_versions(empty: str) -> None:
    assert strongbox(empty, "version").stdout.strip() == "0"
    assert "ran 0001.ledger" in strongbox(empty, "up").stdout
    assert "up to date" in strongbox(empty, "up").stdout
    assert strongbox(empty, "version").stdout.strip() == "4"
    assert "undid 0004.bytes" in strongbox(empty, "down").stdout
    assert strongbox(empty, "force", "4").returncode == 0
    assert strongbox(empty, "version").stdout.strip() == "4"
    assert strongbox(empty, "force", "7").returncode == 1
    assert strongbox(empty, "force").returncode == 2


def test_a_database_out_of_reach_is_said_without_its_password() -> None:
    answer = strongbox("postgresql://someone:s3cret@127.0.0.1:1/nowhere", "version")
    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout


def test_a_login_that_does_not_own_the_tables_is_told_so(database: Urls) -> None:
    answer = strongbox(database.app_url, "up")
    assert answer.returncode == 1
    assert "does the login of MIGRATE_DATABASE_URL own it?" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(("name", "checksum"), CHECKSUMS.items())
def test_a_migration_that_may_have_been_run_is_not_edited(name: str, checksum: str) -> None:
    (file,) = Path(migrations.HOME).rglob(f"{name}.sql")
    assert hashlib.sha256(file.read_bytes()).hexdigest()[:16] == checksum


def test_every_migration_has_a_checksum_and_a_way_back() -> None:
    files = {path.stem for path in migrations.HOME.rglob("*.sql")}
    assert {name for name in files if not name.endswith(".rollback")} == set(CHECKSUMS)
    assert {f"{name}.rollback" for name in CHECKSUMS} <= files


def test_there_is_a_lease_for_every_partition(database: Urls) -> None:
    with psycopg.connect(database.app_url) as connection:
        assert connection.execute("SELECT array_agg(partition ORDER BY partition) FROM outbox_leases").fetchone() == (
            list(range(PARTITIONS)),
        )


# A wallet with what was paid into it twice, and what metrics counted.
_AT_2 = """
    INSERT INTO wallet_balances VALUES (md5('u')::uuid, 'USD', 300, 2, now());
    INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at)
    SELECT md5('u')::uuid, md5(n::text)::uuid, 'FUNDING', 'r ' || n, 150, 'USD', 'COMPLETED', now()
    FROM generate_series(1, 2) n;
    INSERT INTO ledger_entries
    SELECT user_id, id, 'wallet', currency, amount, 150 * n, n, created_at
    FROM (SELECT *, row_number() OVER (ORDER BY reference) AS n FROM transactions) t;
    INSERT INTO metrics.totals VALUES ('APPROVED', 'USD', 1, 1), ('DECLINED', 'EUR', 2, 2);
"""
_KEPT = ("wallet_balances", "transactions", "ledger_entries", "metrics.totals")


@pytest.fixture
def at_2(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of schema 2 with something in it."""
    for path in migrations.HOME.rglob("000[12].*.sql"):
        copied = tmp_path / path.relative_to(migrations.HOME)
        copied.parent.mkdir(exist_ok=True)
        copied.write_text(path.read_text())
    with monkeypatch.context() as before:
        before.setattr(migrations, "HOME", tmp_path)
        migrations.up(empty, empty)
    with psycopg.connect(empty) as connection:
        connection.execute(_AT_2)
    return empty


def kept(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3".encode()).fetchall() for table in _KEPT]


def test_a_database_with_something_in_it_goes_up_down_and_up(at_2: str) -> None:
    there = kept(at_2)
    assert all(there)
    assert migrations.up(at_2, at_2) == ["0003.bytes", "0004.bytes"]
    assert kept(at_2) == there
    assert migrations.down(at_2, at_2, 2) == ["0004.bytes", "0003.bytes"]
    assert kept(at_2) == there
    migrations.up(at_2, at_2)
    assert kept(at_2) == there
    with psycopg.connect(at_2) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("UPDATE transactions SET reference = 'r 1'")


def test_a_reference_that_paid_in_twice_stops_the_migration_and_changes_nothing(at_2: str) -> None:
    """As after another order of texts: the index is there, and does not know one of the two."""
    mark = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'transactions_once_per_reference'::regclass"
    with psycopg.connect(at_2, autocommit=True) as superuser:
        superuser.execute(mark.format("false").encode())
        superuser.execute("UPDATE transactions SET reference = 'r'")
        superuser.execute(mark.format("true").encode())
    there = kept(at_2), schema(at_2)
    with pytest.raises(migrations.MigrationError, match=r'0003\.bytes failed.*"transactions_once_per_reference"'):
        migrations.up(at_2, at_2)
    assert (kept(at_2), schema(at_2)) == there
    assert migrations.version(at_2, at_2) == 2


def test_no_index_of_ours_hangs_on_the_order_of_a_library(database: Urls) -> None:
    """But for those of the tool that runs the migrations, over hexadecimal digits."""
    query = """
        SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace IN ('public'::regnamespace, 'audit'::regnamespace, 'metrics'::regnamespace)
            AND c.relname NOT LIKE '%yoyo%'
            AND EXISTS (SELECT FROM unnest(indcollation) o WHERE o NOT IN (0, '"C"'::regcollation))
    """
    with psycopg.connect(database.app_url) as connection:
        assert connection.execute(query).fetchall() == []
