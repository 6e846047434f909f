"""What an operator is told of a real standby: one that confirms, stands still, or is not the one waited for."""

import asyncio
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from app.main import databases
from app.main.local import postgres_binaries
from app.main.local.postgres import PostgresServer
from app.main.local.roles import LOGIN, OWNER, make_database, make_roles
from app.platform.operations import judgement as judge
from app.platform.operations.health import Health, State
from app.platform.postgres import migrations
from app.platform.postgres.figures import PostgresFigures
from app.platform.postgres.schema import Expected
from app.platform.process.processes import ProcessId, comes_true

WITHIN_S = 120
PASSWORD = "only-for-tests"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("primary"))
    server.start()
    try:
        make_roles(server.url(), PASSWORD, PASSWORD)
        make_database(server.url(), "strongbox")
        owner = server.url("strongbox", OWNER, PASSWORD)
        migrations.up(databases.at(owner))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def standby(primary: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A copy of the primary that follows it, named `near`."""
    server = PostgresServer(tmp_path_factory.mktemp("standby"))
    binaries = postgres_binaries.find(primary.version)
    account = postgres_binaries.account(binaries, server.folder)
    os.chown(server.folder, account.uid, account.gid)
    copy = [str(binaries.folder / "pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast"]
    copy += [f"--pgdata={server.data}", f"--dbname={primary.url()}?application_name=near"]
    subprocess.run([*account.prefix, *copy], check=True, capture_output=True, cwd="/")
    (server.folder / "password").write_text((primary.folder / "password").read_text())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def told(url: str) -> Health:
    return judge.database(asyncio.run(PostgresFigures(url, url, WITHIN_S).database(Expected([], (), ()))))


def ask(server: PostgresServer, statement: str) -> object:
    with psycopg.connect(server.url("strongbox"), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row and row[0]


@contextmanager
def waiting_for(primary: PostgresServer, names: str) -> Iterator[None]:
    """COMMITs wait for these standbys."""

    def wait_for(wanted: str) -> None:
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{wanted}'")
            connection.execute("SELECT pg_reload_conf()")
        assert comes_true(lambda: ask(primary, "SHOW synchronous_standby_names") == wanted, WITHIN_S)

    wait_for(names)
    try:
        yield
    finally:
        wait_for("")


@contextmanager
def a_commit_that_hangs(primary: PostgresServer) -> Iterator[None]:
    """A payment's COMMIT as the service makes it; it ends as soon as it is confirmed, or no longer waited for."""

    def commit() -> None:
        with psycopg.connect(primary.url("strongbox", LOGIN, PASSWORD), autocommit=True) as connection:
            connection.execute("INSERT INTO service_providers (id, name) VALUES (gen_random_uuid(), 'Acme')")

    work = threading.Thread(target=commit)
    work.start()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    try:
        assert comes_true(lambda: ask(primary, waits) == 1, WITHIN_S)
        yield
    finally:
        ask(primary, "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        work.join(WITHIN_S)
        assert not work.is_alive()


@contextmanager
def stopped(standby: PostgresServer) -> Iterator[None]:
    """The standby stays connected and takes nothing."""
    pid = "SELECT pid FROM pg_stat_wal_receiver"
    assert comes_true(lambda: ask(standby, pid) is not None, WITHIN_S)
    receiver = ProcessId.of(int(str(ask(standby, pid))))
    receiver.send(signal.SIGSTOP)
    try:
        yield
    finally:
        receiver.send(signal.SIGCONT)


def test_nothing_is_said_of_standbys_where_there_are_none(primary: PostgresServer) -> None:
    health = told(primary.url("strongbox", LOGIN, PASSWORD))
    assert health.state is State.OK
    assert health.seen.endswith(" connections")


@pytest.mark.usefixtures("standby")
def test_a_standby_that_confirms_is_shown_with_what_commits_wait_for(primary: PostgresServer) -> None:
    with waiting_for(primary, "ANY 1 (near, far)"):
        assert comes_true(lambda: "near (quorum" in told(primary.url("strongbox")).seen, WITHIN_S)
        health = told(primary.url("strongbox"))
        assert (health.state, health.hint) == (State.OK, None)
        assert "; COMMITs wait for ANY 1 (near, far); 1 standby(s): near (quorum" in health.seen


def test_a_standby_that_takes_nothing_is_named_once_a_commit_hangs(
    primary: PostgresServer, standby: PostgresServer
) -> None:
    with waiting_for(primary, "ANY 1 (near)"), stopped(standby), a_commit_that_hangs(primary):
        for url in (primary.url("strongbox"), primary.url("strongbox", LOGIN, PASSWORD)):
            assert comes_true(lambda url=url: told(url).state is State.DEGRADED, WITHIN_S)  # type: ignore[misc]
            health = told(url)
            assert health.hint is not None
            assert "COMMITs hang" in health.hint
            assert "1 COMMIT(s) wait, the oldest for " in health.seen
        assert re.search(r"1 standby\(s\): near \(quorum, [\d,]+ KiB behind", told(primary.url("strongbox")).seen)
    assert comes_true(lambda: told(primary.url("strongbox")).state is State.OK, WITHIN_S)


@pytest.mark.usefixtures("standby")
def test_a_standby_that_is_another_than_the_one_waited_for_is_not_taken_for_it(primary: PostgresServer) -> None:
    with waiting_for(primary, "ghost"):
        # The process that sends to it reads the new settings a moment later.
        assert comes_true(lambda: "near (async" in told(primary.url("strongbox")).seen, WITHIN_S)
        health = told(primary.url("strongbox"))
        assert (health.state, health.hint) == (
            State.DEGRADED,
            "no synchronous standby is connected: COMMITs wait for one",
        )
        assert "COMMITs wait for ghost; 1 standby(s): near (async" in health.seen


@pytest.mark.usefixtures("standby")
def test_a_login_that_may_not_read_statistics_is_told_which_standbys_there_are_and_what_it_lacks(
    primary: PostgresServer,
) -> None:
    with waiting_for(primary, "near"):
        assert comes_true(lambda: "near (sync" in told(primary.url("strongbox")).seen, WITHIN_S)
        health = told(primary.url("strongbox", LOGIN, PASSWORD))
        assert health.state is State.OK
        assert "; COMMITs wait for near; 1 standby(s): near; the rest shows to a login with pg_read_all" in health.seen
