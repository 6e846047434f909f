"""`audit.actions`: what operators did."""

from collections.abc import Mapping

import psycopg
from psycopg.types.json import Jsonb

from app.adapters.postgres.pool import session_url
from app.application.actions import NotRecorded

_RECORD = "INSERT INTO audit.actions (operator, action, details) VALUES (%s, %s, %s) RETURNING id"


class PostgresActions:
    """The record in the consumers' database, written as `operator`. It implements `Actions`."""

    def __init__(self, url: str, operator: str) -> None:
        self._url = url
        self._operator = operator

    async def record(self, action: str, details: Mapping[str, object]) -> int:
        """See `Actions.record`."""
        try:
            async with await psycopg.AsyncConnection.connect(session_url(self._url, "strongbox-command")) as connection:
                cursor = await connection.execute(_RECORD, (self._operator, action, Jsonb(dict(details))))
                row = await cursor.fetchone()
        except psycopg.Error as error:
            raise NotRecorded(f"not recorded in audit.actions ({type(error).__name__})") from error
        assert row is not None
        number: int = row[0]
        return number
