"""The schema, changed by command only: yoyo over `migrations/`.

One line of numbers over two homes: `migrations/` holds what belongs to the service's database,
`migrations/consumers/` what belongs to the consumers', which may be the same one.
"""

import getpass
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI

from app.adapters.postgres import grants, numbering
from app.adapters.postgres.schema import Expected, wrong_encoding
from app.adapters.sessions import UnfitSession, begin_session_now, is_away, session_url
from app.main.leftovers import set_right

HOME = Path(__file__).parents[2] / "migrations"
TABLE = grants.MIGRATIONS_TABLE
LOCK = 0x5354524F4E47  # "STRONG": one migration run a database at a time
LOCK_PATIENCE_S = 60.0

_PATIENT = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
"""A migration takes its time, and so does whoever holds the lock meanwhile."""


class MigrationError(Exception):
    """A migration could not be run; the message says which, and what to do."""


class UnfitDatabase(MigrationError):  # noqa: N818 -- it says what the database is
    """A database that the schema cannot live in; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database, the folder of migrations that belong to it, and what it has to have once they were run."""

    url: str
    folder: Path
    expected: Expected


def targets(url: str, consumers_url: str) -> tuple[Target, Target]:
    """The two homes of the schema."""
    service, consumers = HOME, HOME / "consumers"
    return (
        Target(url, service, Expected(names(service), grants.SERVICE, numbering.SERVICE)),
        Target(consumers_url, consumers, Expected(names(consumers), grants.CONSUMERS, numbering.CONSUMERS)),
    )


def names(folder: Path) -> list[str]:
    """The migrations of a folder, in order: `0001.ledger`."""
    return sorted(path.stem for path in folder.glob("*.sql") if not path.stem.endswith(".rollback"))


def latest() -> int:
    """The number of the newest migration there is."""
    return max(number(name) for folder in (HOME, HOME / "consumers") for name in names(folder))


def number(name: str) -> int:
    """A migration's number on the one line."""
    return int(name.split(".", 1)[0])


def up(url: str, consumers_url: str, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Run what has not been run, in order; the names of what was.

    What a copy of the database has left behind is set right at the end, and told.

    Raises:
        MigrationError: one failed, another run holds the lock, or a database cannot hold the schema.
    """
    ran = []
    homes = targets(url, consumers_url)
    for target in homes:
        with _connected(target.url) as connection:
            _refuse_another_home(connection)  # both, before anything is run in either
    for target in homes:
        with _locked(target.url), _backend(target) as (backend, migrations):
            for migration in backend.to_apply(migrations):
                _step(f"migration {migration.id} failed", backend.apply_one, migration)
                ran.append(migration.id)
            _set_right(target, tell)
    return ran


def down(url: str, consumers_url: str, count: int) -> list[str]:
    """Undo the last `count` migrations, newest first; the names of what was undone.

    Raises:
        MigrationError: one failed, or another run holds the lock.
    """
    undone: list[str] = []
    for _ in range(count):
        target = max(targets(url, consumers_url), key=lambda target: max(map(number, applied(target)), default=0))
        if not applied(target):
            break
        with _locked(target.url), _backend(target) as (backend, migrations):
            migration = next(iter(backend.to_rollback(migrations)))
            _step(f"undoing migration {migration.id} failed", backend.rollback_one, migration)
            undone.append(migration.id)
    return undone


def version(url: str, consumers_url: str) -> int:
    """The number of the newest migration that has been run; 0 for none."""
    return max((number(name) for target in targets(url, consumers_url) for name in applied(target)), default=0)


def force(url: str, consumers_url: str, to: int) -> None:
    """Say that the schema stands at version `to`, and run nothing: for the operator who has mended it by hand.

    Raises:
        MigrationError: there is no such version.
    """
    if not 0 <= to <= latest():
        raise MigrationError(f"there is no version {to}: the newest is {latest()}")
    for target in targets(url, consumers_url):
        with _locked(target.url), _backend(target) as (backend, migrations):
            done = [m for m in backend.to_apply(migrations) if number(m.id) <= to]
            undone = [m for m in backend.to_rollback(migrations) if number(m.id) > to]
            backend.mark_migrations(done)
            backend.unmark_migrations(undone)


def applied(target: Target) -> list[str]:
    """The migrations of the target's folder that its database has. Reads only.

    Raises:
        MigrationError: the database cannot be reached.
    """
    with _connected(target.url) as connection:
        if connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone() == (None,):
            return []
        rows = connection.execute(sql.SQL("SELECT migration_id FROM {}").format(sql.Identifier(TABLE))).fetchall()
    known = set(names(target.folder))
    return sorted(name for (name,) in rows if name in known)


def expected(url: str, consumers_url: str) -> tuple[Expected, Expected]:
    """What each of the two databases has to have. Where they are one it has to have all of it."""
    service, consumers = (target.expected for target in targets(url, consumers_url))
    if url != consumers_url:
        return service, consumers
    whole = Expected(
        [*service.migrations, *consumers.migrations],
        list(dict.fromkeys([*service.grants, *consumers.grants])),
        [*service.sequences, *consumers.sequences],
    )
    return whole, whole


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(session_url(url, "strongbox-migrate"), autocommit=True) as connection:
            if not begin_session_now(connection, _PATIENT):
                connection.prepare_threshold = None
            if encoding := wrong_encoding(connection.info):
                raise UnfitDatabase(f"the database {connection.info.dbname} is encoded in {encoding}")
            yield connection
    except UnfitSession as error:
        raise UnfitDatabase(f"the database cannot be used: {error}") from None
    except psycopg.OperationalError as error:
        what = "cannot be reached" if is_away(error) else "refused"
        raise MigrationError(f"the database {what}: {_first_line(error)}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(f"{_first_line(error)}: does the login of MIGRATE_DATABASE_URL own it?") from None


_BEHIND_A_POOLER = (
    "migrations need a session of PostgreSQL's own, and this one is a pooler's: "
    "give the server's own address as MIGRATE_DATABASE_URL"
)

_OTHER_HOMES = """
    SELECT string_agg(nspname, ', ' ORDER BY nspname)
    FROM pg_namespace n
    WHERE nspname <> 'public' AND to_regclass('public.' || %(table)s) IS NULL
        AND EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = %(table)s)
        AND (to_regclass('audit.head') IS NOT NULL
             OR EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'wallet_balances'))
"""


def _refuse_another_home(connection: psycopg.Connection[Any]) -> None:
    """Refuse to begin anew beside what a search_path of before has had made elsewhere."""
    ((home,),) = connection.execute(_OTHER_HOMES, {"table": TABLE}).fetchall()
    if home:
        raise UnfitDatabase(
            f"the tables of migrations run before are in the schema {home}, where a search_path has put them, and are "
            "looked for in public: move each of them there (ALTER TABLE … SET SCHEMA public)"
        )


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Hold the migration lock of the database.

    Tried in a loop: a session that waits for an advisory lock holds up every CREATE INDEX CONCURRENTLY.
    """
    with _connected(url) as connection:
        if connection.prepare_threshold is None:
            raise MigrationError(_BEHIND_A_POOLER)
        _refuse_another_home(connection)
        patience = time.monotonic() + LOCK_PATIENCE_S
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            if time.monotonic() > patience:
                raise MigrationError(f"another migration has been running for over {LOCK_PATIENCE_S:g} s")
            time.sleep(0.2)
        yield


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's connections, of which each migration gets one of its own."""

    def init_connection(self, connection: psycopg.Connection[Any]) -> None:
        begin_session_now(connection, _PATIENT)


@contextmanager
def _backend(target: Target) -> Iterator[tuple[Any, Any]]:
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers; yoyo logs who ran it
        os.environ["USER"] = str(os.getuid())
    with _Backend(_uri(target.url), TABLE) as backend:
        backend.init_database()
        # Whoever left a lock row behind is dead: the advisory lock is ours.
        backend.break_lock()
        backend.ensure_internal_schema_updated()
        yield backend, read_migrations(str(target.folder))


def _step(failure: str, run: Any, migration: Any) -> None:
    try:
        run(migration)
    except psycopg.Error as error:
        raise MigrationError(
            f"{failure}: {_first_line(error)}. Its transaction was rolled back; when it was applied all the same, "
            "`strongbox migrate force VERSION` says so"
        ) from error


def _set_right(target: Target, tell: Callable[[str], None]) -> None:
    with _connected(target.url) as connection:
        try:
            for what in set_right(connection, target.expected):
                tell(what)
        except psycopg.errors.InsufficientPrivilege:
            raise
        except psycopg.Error as error:
            raise MigrationError(f"grants and sequences cannot be set right: {_first_line(error)}") from error


def _uri(url: str) -> DatabaseURI:
    """The connection string as yoyo has it. Its parts, not a text of them: names may have any characters."""
    given = conninfo_to_dict(session_url(url, "strongbox-migrate"))
    return DatabaseURI("postgresql+psycopg", None, None, None, None, given.pop("dbname", None), given)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
