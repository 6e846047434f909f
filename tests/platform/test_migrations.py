"""The schema: there and back again, and one run at a time."""

import subprocess
import threading
import uuid
from pathlib import Path

import psycopg
import pytest

from app.main import databases
from app.main.local.roles import Urls, make_database
from app.platform.postgres import migrations
from app.platform.postgres.home import MigrationError, Tables
from app.platform.postgres.outbox import PARTITIONS
from app.platform.postgres.target import Target
from tests import forks
from tests.migrating import down_to
from tests.schemas import SCHEMAS

HOME = Path(__file__).parents[2] / "migrations"
ALL = sorted(path.stem for path in HOME.rglob("*.sql") if not path.stem.endswith(".rollback"))
NEWEST = ALL[-1]

_OURS = repr(SCHEMAS)
_SCHEMA = f"""
    SELECT 'column', table_schema, table_name, column_name,
           concat(data_type, is_nullable, column_default, collation_name)
    FROM information_schema.columns WHERE table_schema IN {_OURS}
    UNION ALL
    SELECT 'index', schemaname, tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname IN {_OURS}
    UNION ALL
    SELECT 'constraint', n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
    WHERE n.nspname IN {_OURS}
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
    return forks.run(("app", "migrate", *words), Path.cwd(), {"DATABASE_URL": url, "PATH": ""})


def test_up_down_and_up_again_gives_the_same_schema(empty: str) -> None:
    bare = schema(empty)
    assert migrations.up(databases.at(empty)) == ALL
    there = schema(empty)
    assert len(there) > 100
    assert migrations.up(databases.at(empty)) == []
    assert migrations.down(databases.at(empty), 1) == [NEWEST]
    assert migrations.version(databases.at(empty)) == len(ALL) - 1
    assert migrations.down(databases.at(empty), len(ALL)) == [*reversed(ALL[:-1])]
    assert schema(empty) == bare
    migrations.up(databases.at(empty))
    assert schema(empty) == there


def test_each_home_gets_its_own_migrations_when_there_are_two(empty: str, database: Urls, postgres_url: str) -> None:
    other = f"empty_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, other)
    consumers = f"{postgres_url.rpartition('/')[0]}/{other}"
    assert migrations.up(databases.at(empty, consumers)) == ALL
    assert {row[1] for row in schema(empty)} == {
        "public",
        "payments",
        "reconciliation",
        "funds",
        "identity",
        "catalog",
        "ordering",
        "auctions",
        "chain",
        "rewards",
        "mint",
        "webhooks",
    }
    assert {row[1] for row in schema(consumers)} >= {"audit", "metrics"}
    assert migrations.version(databases.at(empty, consumers)) == migrations.latest(databases.at(empty)) == len(ALL)


def test_two_runs_at_once_take_turns(empty: str) -> None:
    ran: list[str] = []
    threads = [threading.Thread(target=lambda: ran.extend(migrations.up(databases.at(empty)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert sorted(ran) == sorted(ALL)


def test_a_lock_that_a_killed_run_left_behind_holds_nobody_up(empty: str) -> None:
    migrations.up(databases.at(empty))
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert migrations.down(databases.at(empty), 1) == [NEWEST]


def test_the_command_line_walks_the_versions(empty: str) -> None:
    newest = str(len(ALL))
    assert strongbox(empty, "version").stdout.strip() == "0"
    assert "ran 0001.ledger" in strongbox(empty, "up").stdout
    assert "up to date" in strongbox(empty, "up").stdout
    assert strongbox(empty, "version").stdout.strip() == newest
    assert f"undid {NEWEST}" in strongbox(empty, "down").stdout
    assert strongbox(empty, "force", newest).returncode == 0
    assert strongbox(empty, "version").stdout.strip() == newest
    assert strongbox(empty, "force", "99").returncode == 1
    assert strongbox(empty, "force").returncode == 2


def test_a_version_that_no_migration_has_is_not_declared() -> None:
    gap = Target("postgresql://127.0.0.1:1/nowhere", [Tables(HOME / "funds")])
    with pytest.raises(MigrationError, match="there is no version 2"):
        migrations.force([gap], 2)


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


def test_a_context_that_joins_later_is_taken_up_below_what_is_there(empty: str) -> None:
    everything, consumers = databases.at(empty), ["0002.consumers", "0004.bytes"]
    assert migrations.up([Target(empty, [Tables(HOME / "consumers")])]) == consumers
    assert migrations.version(everything) == 4
    assert migrations.up(everything) == [name for name in ALL if name not in consumers]


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
_KEPT = (
    "user_id, currency, current_balance, version, updated_at FROM wallet_balances",
    "user_id, id, kind, payment_id, reference, amount, currency, status, created_at FROM transactions",
    "* FROM ledger_entries",
    "* FROM metrics.totals",
)


@pytest.fixture
def at_2(empty: str, tmp_path: Path) -> str:
    """A database of schema 2 with something in it."""
    for path in HOME.rglob("000[12].*.sql"):
        copied = tmp_path / path.relative_to(HOME)
        copied.parent.mkdir(exist_ok=True)
        copied.write_text(path.read_text())
    migrations.up([Target(empty, [Tables(tmp_path / "funds"), Tables(tmp_path / "consumers")])])
    with psycopg.connect(empty) as connection:
        connection.execute(_AT_2)
    return empty


def kept(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [connection.execute(f"SELECT {what} ORDER BY 1, 2, 3".encode()).fetchall() for what in _KEPT]


def test_a_database_with_something_in_it_goes_up_down_and_up(at_2: str) -> None:
    there = kept(at_2)
    assert all(there)
    assert migrations.up(databases.at(at_2)) == ALL[2:]
    assert kept(at_2) == there
    assert down_to(at_2, 2) == [*reversed(ALL[2:])]
    assert kept(at_2) == there
    migrations.up(databases.at(at_2))
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
    with pytest.raises(MigrationError, match=r'0003\.bytes failed.*"transactions_once_per_reference"'):
        migrations.up(databases.at(at_2))
    assert (kept(at_2), schema(at_2)) == there
    assert migrations.version(databases.at(at_2)) == 2
