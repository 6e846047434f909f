"""The schema, changed by command only: yoyo over the folders of migrations.

One line of numbers goes over all folders, whichever database each belongs to.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import sql

from app.platform.postgres.home import MigrationError, number
from app.platform.postgres.leftovers import set_right
from app.platform.postgres.migration_sessions import (
    TABLE,
    backend_of,
    connected,
    first_line,
    locked,
    refuse_another_home,
)
from app.platform.postgres.target import Target


def latest(targets: Sequence[Target]) -> int:
    """The number of the newest migration there is."""
    return max(_numbers(targets))


def _numbers(targets: Sequence[Target]) -> set[int]:
    """The versions that there are; before the first migration it is 0."""
    return {0, *(number(name) for target in targets for name in target.expected.migrations)}


def up(targets: Sequence[Target], tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Run what has not been run, in the order of the numbers; the names of what was.

    What a copy of the database has left behind is set right at the end, and told.

    Raises:
        MigrationError: one failed, another run holds the lock, or a database cannot hold the schema.
    """
    ran = []
    for target in targets:
        with connected(target.url) as connection:
            refuse_another_home(connection)  # all of them, before anything is run in one
    for target, names in _runs(targets, _pending):
        with locked(target.url), backend_of(target.url, target.folders) as (backend, migrations):
            for migration in sorted(backend.to_apply(migrations), key=_id):
                if migration.id in names:
                    _step(f"migration {migration.id} failed", backend.apply_one, migration)
                    ran.append(migration.id)
    for target in targets:
        # Whoever may not migrate learns it here, even when there is nothing to run.
        with locked(target.url), backend_of(target.url, target.folders):
            _set_right(target, tell)
    return ran


def down(targets: Sequence[Target], count: int) -> list[str]:
    """Undo the last `count` migrations, newest first; the names of what was undone.

    Raises:
        MigrationError: one failed, or another run holds the lock.
    """
    undone: list[str] = []
    newest = sorted(_line(targets, applied), key=itemgetter(0), reverse=True)[:count]
    for name, target in newest:
        with locked(target.url), backend_of(target.url, target.folders) as (backend, migrations):
            for migration in backend.to_rollback(migrations):
                if migration.id == name:
                    _step(f"undoing migration {name} failed", backend.rollback_one, migration)
                    undone.append(name)
    return undone


def version(targets: Sequence[Target]) -> int:
    """The number of the newest migration that has been run; 0 for none."""
    return max((number(name) for name, _ in _line(targets, applied)), default=0)


def force(targets: Sequence[Target], to: int) -> None:
    """Say that the schema stands at version `to`, and run nothing: for the operator who has mended it by hand.

    Raises:
        MigrationError: there is no such version.
    """
    if to not in _numbers(targets):
        raise MigrationError(f"there is no version {to}: the newest is {latest(targets)}")
    for target in targets:
        with locked(target.url), backend_of(target.url, target.folders) as (backend, migrations):
            done = [m for m in backend.to_apply(migrations) if number(m.id) <= to]
            undone = [m for m in backend.to_rollback(migrations) if number(m.id) > to]
            backend.mark_migrations(done)
            backend.unmark_migrations(undone)


def applied(target: Target) -> list[str]:
    """The migrations of the target's folders that its database has. Reads only.

    Raises:
        MigrationError: the database cannot be reached.
    """
    with connected(target.url) as connection:
        if connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone() == (None,):
            return []
        rows = connection.execute(sql.SQL("SELECT migration_id FROM {}").format(sql.Identifier(TABLE))).fetchall()
    known = set(target.expected.migrations)
    return sorted(name for (name,) in rows if name in known)


def _id(migration: Any) -> str:
    return str(migration.id)


def _pending(target: Target) -> list[str]:
    had = set(applied(target))
    return [name for name in target.expected.migrations if name not in had]


def _line(targets: Sequence[Target], names: Callable[[Target], Sequence[str]]) -> list[tuple[str, Target]]:
    """The migrations of all targets on one line, by their numbers."""
    return sorted(((name, target) for target in targets for name in names(target)), key=itemgetter(0))


def _runs(
    targets: Sequence[Target], names: Callable[[Target], Sequence[str]]
) -> Iterator[tuple[Target, frozenset[str]]]:
    """The same, with neighbours of one database together: it is locked once for them."""
    for _, run in groupby(_line(targets, names), key=lambda each: each[1].url):
        members = list(run)
        yield members[0][1], frozenset(name for name, _ in members)


def _step(failure: str, run: Any, migration: Any) -> None:
    try:
        run(migration)
    except psycopg.Error as error:
        raise MigrationError(
            f"{failure}: {first_line(error)}. Its transaction was rolled back; when it was applied all the same, "
            "`strongbox migrate force VERSION` says so"
        ) from error


def _set_right(target: Target, tell: Callable[[str], None]) -> None:
    with connected(target.url) as connection:
        try:
            for what in set_right(connection, target.expected):
                tell(what)
        except psycopg.errors.InsufficientPrivilege:
            raise
        except psycopg.Error as error:
            raise MigrationError(f"grants and sequences cannot be set right: {first_line(error)}") from error
