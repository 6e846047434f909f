"""Databases that were copied, restored or made otherwise than they should be: named, and set right by `migrate up`."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.main import databases
from app.main.local import postgres_binaries
from app.main.local.postgres import PostgresServer
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.operations.actions import NotRecorded
from app.platform.postgres import migrations
from app.platform.postgres.actions import PostgresActions
from app.platform.postgres.outbox import PostgresOutbox
from app.platform.process.processes import comes_true
from tests import forks
from tests.platform.copying import problems, start
from tests.platform.outbox_fixtures import insert_events, outbox_pool
from tests.schemas import SCHEMAS

PAGE = (Path(__file__).parents[2] / "docs/how-to/upgrade.md").read_text()
TELLS = "run `strongbox migrate up`"

_ALL_PRIVILEGES = """
    SELECT n.nspname, c.relname, NULL, a.privilege_type
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    WHERE a.grantee = 'strongbox_app'::regrole
    UNION ALL
    SELECT n.nspname, c.relname, t.attname, a.privilege_type
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
         aclexplode(t.attacl) a
    WHERE a.grantee = 'strongbox_app'::regrole
    UNION ALL
    SELECT n.nspname, NULL, NULL, a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE a.grantee = 'strongbox_app'::regrole
"""
_SCHEMAS = ", ".join(SCHEMAS)
_REVOKE_ALL = f"""
    REVOKE ALL ON ALL TABLES IN SCHEMA {_SCHEMAS} FROM strongbox_app;
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA {_SCHEMAS} FROM strongbox_app;
    REVOKE ALL ON SCHEMA {_SCHEMAS} FROM strongbox_app;
"""


def privileges(url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return set(connection.execute(_ALL_PRIVILEGES).fetchall())


def run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the command prints, which does not fail."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def up(urls: Urls) -> str:
    """What `strongbox migrate up` prints."""
    done = forks.run(("app", "migrate", "up"), Path.cwd(), {"DATABASE_URL": urls.owner_url, "PATH": ""})
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_what_the_migrations_grant_is_what_is_granted_again(database: Urls) -> None:
    granted = privileges(database.owner_url)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(_REVOKE_ALL)
    assert privileges(database.owner_url) == set()
    assert up(database).startswith("granted strongbox_app SELECT ON ")
    assert privileges(database.owner_url) == granted
    assert up(database) == "nothing to do: the schema is up to date\n"
    assert await problems(database) == {}


@pytest.mark.parametrize(
    ("revoke", "named"),
    [
        ("INSERT ON payments", "INSERT ON public.payments"),
        ("UPDATE (status) ON payments", "UPDATE (status) ON public.payments"),
        ("SELECT ON _yoyo_migration", "SELECT ON public._yoyo_migration"),
        ("USAGE ON SCHEMA audit", "USAGE ON audit"),
        ("INSERT ON metrics.inbox", "INSERT ON metrics.inbox"),
        ("SELECT ON SEQUENCE payments.outbox_events_id_seq", "SELECT ON payments.outbox_events_id_seq"),
    ],
)
async def test_a_privilege_that_is_lacking_is_named(database: Urls, revoke: str, named: str) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(f"REVOKE {revoke} FROM strongbox_app".encode())
    assert await problems(database) == {"privileges": f"lacks {named}; {TELLS}"}


async def test_a_login_that_is_in_no_group_is_told_so(database: Urls, postgres_url: str) -> None:
    stranger = f"stranger_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url) as superuser:
        superuser.execute(f"CREATE ROLE {stranger} LOGIN PASSWORD 'x'".encode())
    url = re.sub("//.*@", f"//{stranger}:x@", database.app_url)
    found = await problems(Urls(database.owner_url, url))
    assert found["privileges"].endswith("make the login role a member of strongbox_app")


async def test_a_dump_restored_without_grants_is_not_ready_until_migrate_up(
    database: Urls, postgres_server: PostgresServer, postgres_url: str
) -> None:
    name = f"restored_{uuid4().hex[:8]}"
    make_database(postgres_url, name)
    restored = Urls(*(f"{url.rpartition('/')[0]}/{name}" for url in database))
    assert postgres_server.binaries is not None
    # A superuser's: from the tables' owner the rows of tenants are hidden, too.
    source = f"{postgres_url.rpartition('/')[0]}/{database.owner_url.rpartition('/')[2]}"
    dump = [str(postgres_server.binaries / "pg_dump"), "--format=custom", source]
    restore = [str(postgres_server.binaries / "pg_restore"), "--no-owner", "--no-acl", "--exit-on-error"]
    pipe = f"{shlex.join(dump)} | {shlex.join([*restore, '--dbname', restored.owner_url])}"
    run(["bash", "-o", "pipefail", "-euc", pipe], {"PATH": os.environ["PATH"]})
    found = await problems(restored)
    assert found["privileges"].endswith(TELLS)
    refused = start(restored)
    assert (refused.returncode, "privileges: lacks" in refused.stderr, TELLS in refused.stderr) == (1, True, True)
    for command in (["verify"], ["wallet", "fund", str(uuid4()), "USD", "5"]):
        told = start(restored, *command)
        assert (told.returncode, "Traceback" in told.stderr, "strongbox migrate up" in told.stderr) == (1, False, True)
    assert "granted strongbox_app" in up(restored)
    assert privileges(restored.owner_url) == privileges(database.owner_url)
    assert await problems(restored) == {}


@pytest.mark.parametrize(
    ("moved", "state"),
    [("payments.outbox_events", "unsent"), ("payments.outbox_events", "sent"), ("audit.actions", "unsent")],
)
async def test_a_sequence_that_is_behind_keeps_a_process_from_its_work_until_migrate_up(
    database: Urls, moved: str, state: str
) -> None:
    insert_events(database.owner_url, [uuid4() for _ in range(20)])
    for _ in range(3):
        await PostgresActions(database.owner_url, "me").record("test", {})
    with psycopg.connect(database.owner_url) as owner:
        if state == "sent":
            owner.execute("UPDATE payments.outbox_events SET sent_at = now() + id * interval '1 ms'")
        owner.execute(f"SELECT setval(pg_get_serial_sequence('{moved}', 'id'), 1, false)".encode())
    newest = 3 if moved == "audit.actions" else 40
    assert await problems(database) == {"sequences": f"behind: {moved}.id stands at 0, its rows at {newest}; {TELLS}"}
    refused = start(database)
    assert (refused.returncode, f"{moved}.id stands at 0" in refused.stderr) == (1, True)
    assert f"moved {moved}_id_seq from 0 on to {newest}" in up(database)
    assert await problems(database) == {}
    insert_events(database.owner_url, [uuid4()], (1,))
    await PostgresActions(database.owner_url, "me").record("test", {})
    with psycopg.connect(database.owner_url) as owner:
        assert owner.execute("SELECT max(id), (SELECT max(id) FROM audit.actions) FROM outbox_events").fetchone() == (
            41,
            4,
        )


@contextmanager
def serving(folder: Path, *settings: str) -> Iterator[PostgresServer]:
    server = PostgresServer(folder, settings)
    server.start()
    try:
        make_roles(server.url(), "owner", "login")
        make_database(server.url(), "strongbox")
        yield server
    finally:
        server.stop()


def urls_of(server: PostgresServer) -> Urls:
    return Urls(server.url("strongbox", OWNER, "owner"), server.url("strongbox", LOGIN, "login"))


async def test_a_logical_copy_goes_on_where_the_server_before_ended(tmp_path: Path) -> None:
    """The page's commands, on two servers, with events that wait and actions that were recorded."""
    old_payments = [uuid4() for _ in range(32)]
    account = postgres_binaries.account(postgres_binaries.find(None), tmp_path)
    os.chown(tmp_path, account.uid, account.gid)
    with serving(tmp_path / "old", "wal_level=logical") as old, serving(tmp_path / "new") as new:
        migrations.up(databases.at(urls_of(old).owner_url))
        insert_events(urls_of(old).owner_url, old_payments, (1,))
        await PostgresActions(urls_of(old).owner_url, "me").record("before", {})
        path = (str(old.binaries), str(Path(sys.executable).parent), os.environ["PATH"])
        environment = {"PATH": os.pathsep.join(path)}
        environment |= {"OLD": old.url("strongbox"), "NEW": new.url("strongbox")}

        def type_in(beginning: str) -> str:
            found = re.findall(rf"^```sh\n({re.escape(beginning)}.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
            return run(["bash", "-euc", found[0]], environment)

        def asks(server: PostgresServer, beginning: str) -> bool:
            (query,) = re.findall(rf"`({re.escape(beginning)}[^`]*)`", PAGE)
            with psycopg.connect(server.url("strongbox"), autocommit=True) as connection:
                return connection.execute(query.encode()).fetchone() == (True,)

        type_in("pg_dump --schema-only")
        assert comes_true(lambda: asks(new, "SELECT bool_and(srsubstate"), 300)
        insert_events(urls_of(old).owner_url, old_payments, (2,))
        assert comes_true(lambda: asks(old, "SELECT bool_and(confirmed_flush_lsn"), 300)
        copied = urls_of(new)
        assert set(await problems(copied)) == {"sequences"}
        with pytest.raises(NotRecorded):
            await PostgresActions(copied.owner_url, "me").record("after", {})
        said = type_in('psql "$NEW" --command="DROP SUBSCRIPTION')
        assert "moved payments.outbox_events_id_seq from 0 on to 64" in said
        assert await problems(copied) == {}
        insert_events(copied.owner_url, old_payments, (3,))
        await PostgresActions(copied.owner_url, "me").record("after", {})
        async with outbox_pool(copied.app_url) as pool:
            claimed = await PostgresOutbox(pool, "payments").claim(range(16), 200)
    for payment in old_payments:
        kinds = [message.type for message in claimed if message.subject == payment]
        assert kinds == ["payment.created", "payment.failed", "refund.created"]
