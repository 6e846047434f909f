"""`audit.actions`: what operators did."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from app.platform.operations.actions import NotRecorded, RecordedAction
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.pool import connect
from app.platform.postgres.sessions import reason

_LOOK_S = 5.0
_NEWEST = """
    SELECT id, at, operator, action, details FROM audit.actions WHERE id < %s ORDER BY id DESC LIMIT %s
"""
_RECORD = "INSERT INTO audit.actions (operator, action, details) VALUES (%s, %s, %s) RETURNING id"


async def add_action(
    connection: AsyncConnection[Any], operator: str, action: str, details: Mapping[str, object]
) -> int:
    """Add a row; its number."""
    cursor = await connection.execute(_RECORD, (operator, action, Jsonb(dict(details))))
    row = await cursor.fetchone()
    assert row is not None
    number: int = row[0]
    return number


class PostgresActions:
    """The record in the consumers' database, written as `operator`. It implements `Actions`."""

    def __init__(self, url: str, operator: str) -> None:
        self._url = url
        self._operator = operator

    async def record(self, action: str, details: Mapping[str, object]) -> int:
        """See `Actions.record`."""
        try:
            async with await connect(self._url, "strongbox-command") as connection:
                return await add_action(connection, self._operator, action, details)
        except psycopg.Error as error:
            raise NotRecorded(f"not recorded in audit.actions ({reason(error)})") from error


class PostgresActionLog:
    """The record in the consumers' database. It implements `ActionLog`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def newest(self, before: int | None, most: int) -> Sequence[RecordedAction]:
        """See `ActionLog.newest`."""
        async with inspecting(self._url, _LOOK_S) as record:
            cursor = await record.execute(_NEWEST, (2**63 - 1 if before is None else before, most))
            return [RecordedAction(*row) for row in await cursor.fetchall()]
