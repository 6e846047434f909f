"""How migrations get at a database: a session of its own, a lock on it, and yoyo over its folders."""

import getpass
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI

from app.platform.postgres import grants
from app.platform.postgres.home import MigrationError
from app.platform.postgres.schema import wrong_encoding
from app.platform.postgres.sessions import UnfitSession, begin_session_now, is_away, session_url

TABLE = grants.MIGRATIONS_TABLE
LOCK = 0x5354524F4E47  # "STRONG": one migration run a database at a time
LOCK_PATIENCE_S = 60.0

_PATIENT = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
"""A migration takes its time, and so does whoever holds the lock meanwhile."""


class UnfitDatabase(MigrationError):  # noqa: N818 -- it says what the database is
    """A database that the schema cannot live in; the message says what is wrong with it."""


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
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
        raise MigrationError(f"the database {what}: {first_line(error)}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(f"{first_line(error)}: does the login of MIGRATE_DATABASE_URL own it?") from None


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


def refuse_another_home(connection: psycopg.Connection[Any]) -> None:
    """Refuse to begin anew beside what a search_path of before has had made elsewhere."""
    ((home,),) = connection.execute(_OTHER_HOMES, {"table": TABLE}).fetchall()
    if home:
        raise UnfitDatabase(
            f"the tables of migrations run before are in the schema {home}, where a search_path has put them, and are "
            "looked for in public: move each of them there (ALTER TABLE … SET SCHEMA public)"
        )


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the migration lock of the database.

    Tried in a loop: a session that waits for an advisory lock holds up every CREATE INDEX CONCURRENTLY.
    """
    with connected(url) as connection:
        if connection.prepare_threshold is None:
            raise MigrationError(_BEHIND_A_POOLER)
        refuse_another_home(connection)
        patience = time.monotonic() + LOCK_PATIENCE_S
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            if time.monotonic() > patience:
                raise MigrationError(f"another migration has been running for over {LOCK_PATIENCE_S:g} s")
            time.sleep(0.2)
        yield


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's connections, of which each migration gets one of its own.

    What yoyo finds out by statements that fail is known here, and would be errors in the server's log at every start.
    """

    create_lock_table_sql = PostgresqlPsycopgBackend.create_lock_table_sql.replace(
        "CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "
    )

    def init_connection(self, connection: psycopg.Connection[Any]) -> None:
        begin_session_now(connection, _PATIENT)

    def rollback(self) -> None:
        # So begins what goes without a transaction: with none to roll back, of which the server would warn.
        if self.connection.info.transaction_status != self.TRANSACTION_STATUS_IDLE:
            super().rollback()

    def _check_transactional_ddl(self) -> bool:
        return True


@contextmanager
def backend_of(url: str, folders: Sequence[Path]) -> Iterator[tuple[Any, Any]]:
    """yoyo on the database, with the migrations of the folders. The lock is held."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers; yoyo logs who ran it
        os.environ["USER"] = str(os.getuid())
    with _Backend(_uri(url), TABLE) as backend:
        backend.init_database()
        # Whoever left a lock row behind is dead: the advisory lock is ours.
        backend.break_lock()
        backend.ensure_internal_schema_updated()
        yield backend, read_migrations(*map(str, folders))


def _uri(url: str) -> DatabaseURI:
    """The connection string as yoyo has it. Its parts, not a text of them: names may have any characters."""
    given = conninfo_to_dict(session_url(url, "strongbox-migrate"))
    return DatabaseURI("postgresql+psycopg", None, None, None, None, given.pop("dbname", None), given)


def first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
