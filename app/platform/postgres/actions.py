"""`audit.actions`: what operators did."""

from collections.abc import Mapping, Sequence

import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres.inspection import inspecting
from app.adapters.postgres.pool import connect
from app.adapters.sessions import reason
from app.application.actions import NotRecorded, RecordedAction

_LOOK_S = 5.0
_NEWEST = """
    SELECT id, at, operator, action, details FROM audit.actions WHERE id < %s ORDER BY id DESC LIMIT %s
"""
_RECORD = "INSERT INTO audit.actions (operator, action, details) VALUES (%s, %s, %s) RETURNING id"


class PostgresActions:
    """The record in the consumers' database, written as `operator`. It implements `Actions`."""

    def __init__(self, url: str, operator: str) -> None:
        self._url = url
        self._operator = operator

    async def record(self, action: str, details: Mapping[str, object]) -> int:
        """See `Actions.record`."""
        try:
            async with await connect(self._url, "strongbox-command") as connection:
                cursor = await connection.execute(_RECORD, (self._operator, action, Jsonb(dict(details))))
                row = await cursor.fetchone()
        except psycopg.Error as error:
            raise NotRecorded(f"not recorded in audit.actions ({reason(error)})") from error
        assert row is not None
        number: int = row[0]
        return number


class PostgresActionLog:
    """The record in the consumers' database. It implements `ActionLog`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def newest(self, before: int | None, most: int) -> Sequence[RecordedAction]:
        """See `ActionLog.newest`."""
        async with inspecting(self._url, _LOOK_S) as record:
            cursor = await record.execute(_NEWEST, (2**63 - 1 if before is None else before, most))
            return [RecordedAction(*row) for row in await cursor.fetchall()]
