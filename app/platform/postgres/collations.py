"""Whether the order of texts has changed since the database's indexes were made.

The order of a collation comes from a library of the operating system, and changes with it. No index of ours is held in
such an order; those of others in the same database may be.
"""

from typing import Any, Final

from psycopg import AsyncConnection

# From PostgreSQL 15 on the database notes the version of its own collation, too.
_OF_THE_DATABASE: Final = """
    SELECT 'the database''s', datcollversion, pg_database_collation_actual_version(oid)
    FROM pg_database WHERE datname = current_database()
    UNION ALL
"""
_OF_INDEXES: Final = """
    SELECT format('%I', collname), collversion, pg_collation_actual_version(oid)
    FROM pg_collation WHERE oid IN (SELECT unnest(indcollation) FROM pg_index) AND collversion IS NOT NULL
"""


async def collations_that_changed(connection: AsyncConnection[Any]) -> str | None:
    """Which collations the database was made with another version of, and what to do; None when there is none."""
    noted = connection.info.server_version >= 150000
    cursor = await connection.execute((_OF_THE_DATABASE if noted else "") + _OF_INDEXES)
    changed = [(name, was, now) for name, was, now in await cursor.fetchall() if was not in (None, now)]
    if not changed:
        return None
    named = ", ".join(f"{name} from {was} to {now or 'one without a version'}" for name, was, now in changed)
    cure = "REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION"
    if any(now is None for _, _, now in changed):  # PostgreSQL refuses to forget a version
        cure = "dump it and restore it here, or go back to the library of before"
    return f"the order of texts has changed since the database was made (collation: {named}): {cure}"
