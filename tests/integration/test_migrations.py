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
}

_SCHEMA = """
    SELECT 'column', table_schema, table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
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
    assert migrations.up(empty, empty) == ["0001.ledger", "0002.consumers"]
    there = schema(empty)
    assert len(there) > 100
    assert migrations.up(empty, empty) == []
    assert migrations.down(empty, empty, 1) == ["0002.consumers"]
    assert migrations.version(empty, empty) == 1
    assert migrations.down(empty, empty, 9) == ["0001.ledger"]
    assert schema(empty) == bare
    migrations.up(empty, empty)
    assert schema(empty) == there


def test_each_home_gets_its_own_migrations_when_there_are_two(empty: str, database: Urls, postgres_url: str) -> None:
    other = f"empty_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, other)
    consumers = f"{postgres_url.rpartition('/')[0]}/{other}"
    assert migrations.up(empty, consumers) == ["0001.ledger", "0002.consumers"]
    assert {row[1] for row in schema(empty)} == {"public"}
    assert {row[1] for row in schema(consumers)} >= {"audit", "metrics"}
    assert migrations.behind(empty, None) == []
    assert migrations.version(empty, consumers) == migrations.latest() == 2


def test_two_runs_at_once_take_turns(empty: str) -> None:
    ran: list[str] = []
    threads = [threading.Thread(target=lambda: ran.extend(migrations.up(empty, empty))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ran) == ["0001.ledger", "0002.consumers"]


def test_a_lock_that_a_killed_run_left_behind_holds_nobody_up(empty: str) -> None:
    migrations.up(empty, empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert migrations.down(empty, empty, 1) == ["0002.consumers"]


def test_the_command_line_walks_the_versions(empty: str) -> None:
    assert strongbox(empty, "version").stdout.strip() == "0"
    assert "ran 0001.ledger" in strongbox(empty, "up").stdout
    assert "up to date" in strongbox(empty, "up").stdout
    assert strongbox(empty, "version").stdout.strip() == "2"
    assert "undid 0002.consumers" in strongbox(empty, "down").stdout
    assert strongbox(empty, "force", "2").returncode == 0
    assert strongbox(empty, "version").stdout.strip() == "2"
    assert strongbox(empty, "force", "7").returncode == 1
    assert strongbox(empty, "force").returncode == 2


def test_a_database_out_of_reach_is_said_without_its_password() -> None:
    answer = strongbox("postgresql://someone:s3cret@127.0.0.1:1/nowhere", "version")
    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout


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
