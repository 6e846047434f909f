"""What a copy of a database leaves behind, set right: the grants (`pg_restore --no-acl`), the places of its sequences
(a logical copy), and on another server the group role.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from app.platform.postgres.grants import GROUP, LACKING, MIGRATIONS_TABLE, Granted, asked, in_words
from app.platform.postgres.numbering import Numbered
from app.platform.postgres.schema import Expected


def set_right(connection: psycopg.Connection[Any], expected: Expected) -> Iterator[str]:
    """Grant what is lacking, and move on the sequences that are behind; what it was. The schema has to be whole."""
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (GROUP,)).fetchone() is None:
        connection.execute(f"CREATE ROLE {GROUP} NOLOGIN")
        yield f"made the role {GROUP}"
    connection.execute(f"GRANT SELECT ON {MIGRATIONS_TABLE} TO {GROUP}")  # made by yoyo, not by a migration
    yield from _grant(connection, expected.grants)
    for numbered in expected.sequences:
        yield from _move_on(connection, numbered)


def _grant(connection: psycopg.Connection[Any], grants: Sequence[Granted]) -> Iterator[str]:
    lacking = [line for (line,) in connection.execute(LACKING, asked(GROUP, grants)).fetchall()]
    if lacking:
        with connection.transaction():
            for granted in grants:
                connection.execute(granted.statement)
        yield f"granted {GROUP} {in_words(lacking)}"


def _move_on(connection: psycopg.Connection[Any], numbered: Numbered) -> Iterator[str]:
    ((place, newest),) = connection.execute(numbered.places).fetchall()
    if place < newest:
        with connection.transaction():  # nobody writes meanwhile, or a number could be given twice
            connection.execute(f"LOCK TABLE {numbered.table} IN SHARE ROW EXCLUSIVE MODE")
            ((now,),) = connection.execute(numbered.move_on).fetchall()
        yield f"moved {numbered.sequence} from {place} on to {now}"
