"""Requests in PostgreSQL."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from app.contexts.mint.adapters.postgres import statements
from app.contexts.mint.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.mint.adapters.postgres.tables import INBOX
from app.contexts.mint.application.ports import Asked, Backlog, Standing
from app.contexts.mint.domain.request import MintRequest, Outcome, RequestStatus
from app.kernel.principal import TenantId
from app.platform.messaging.inbox_database import Database
from app.platform.messaging.received_events import Malformed
from app.platform.postgres.pipeline import Row, run

ASK_AGAIN_S: Final = (0.25, 5.0)
"""The least and the most that passes until the chain is asked again about what it has not finished."""
MOST_S: Final = 60.0
"""No lease is as long."""


class PostgresRequests:
    """It implements `Requests`, over one connection."""

    def __init__(self, database: Database, new_id: Callable[[], UUID]) -> None:
        self._database = database
        self._new_id = new_id

    async def note(self, asked: Sequence[Asked], *, for_s: float, is_heard: bool = False) -> Sequence[Standing]:
        """See `Requests.note`."""
        wanted: dict[UUID, MintRequest] = {}
        for each in asked:
            wanted.setdefault(each.request.id, each.request)
        async with self._database.connection() as connection, connection.transaction():
            cursor = await connection.execute(statements.NOTE, {**_columns(list(wanted.values())), "for_s": for_s})
            new = {id_ for (id_,) in await cursor.fetchall()}
            cursor = await connection.execute(statements.FIND, {"ids": list(wanted)})
            standing = [Standing(found := _request_of(row), found.id in new) for row in await cursor.fetchall()]
            known = {each.request.id: each.request for each in standing}
            if not all(each.request.is_like(known[each.request.id]) for each in asked):
                raise Malformed("data: request_id is known with something else")
            if is_heard:
                await INBOX.enter(connection, [each.event_id for each in asked])
        return standing

    async def due(self, at_most: int, for_s: float) -> Sequence[Standing]:
        """See `Requests.due`."""
        limits = {"at_most": at_most, "for_s": for_s, "most_s": MOST_S}
        async with self._database.connection() as connection:
            cursor = await connection.execute(statements.DUE, limits)
            return [Standing(_request_of(row)) for row in await cursor.fetchall()]

    async def conclude(self, outcomes: Sequence[Outcome], heard: Sequence[UUID] = ()) -> Sequence[Outcome]:
        """See `Requests.conclude`."""
        async with self._database.connection() as connection, connection.transaction():
            if heard:
                await INBOX.enter(connection, list(heard))
            return await self._write(connection, outcomes) if outcomes else []

    async def backlog(self) -> Backlog:
        """See `Requests.backlog`."""
        async with self._database.connection() as connection:
            ((requested, submitted, oldest_s),) = await (await connection.execute(statements.BACKLOG)).fetchall()
        return Backlog(requested, submitted, oldest_s)

    async def close(self) -> None:
        """Close the connection."""
        await self._database.close()

    async def _write(self, connection: AsyncConnection[Any], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        least_s, most_s = ASK_AGAIN_S
        told = {
            "ids": [outcome.request.id for outcome in outcomes],
            "statuses": [outcome.status and outcome.status.value for outcome in outcomes],
            "hashes": [outcome.tx_hash for outcome in outcomes],
            "reasons": [outcome.reason for outcome in outcomes],
            "least_s": least_s,
            "most_s": most_s,
        }
        cursor = await connection.execute(statements.CONCLUDE, told)
        settled_at = {id_: at for id_, at in await cursor.fetchall() if at is not None}
        settled = [outcome for outcome in outcomes if outcome.request.id in settled_at]
        if settled:
            events = [outbox_row(each, self._new_id(), settled_at[each.request.id]) for each in settled]
            await run(connection, [OUTBOX.insert(events)])
        return settled


def _columns(requests: Sequence[MintRequest]) -> dict[str, object]:
    return {
        "ids": [request.id for request in requests],
        "entries": [request.entry_id for request in requests],
        "users": [request.user_id for request in requests],
        "tenants": [request.tenant_id for request in requests],
        "addresses": [request.address for request in requests],
        "amounts": [str(request.amount) for request in requests],
        "traceparents": [request.traceparent for request in requests],
    }


def _request_of(row: Row) -> MintRequest:
    """The request in a row of `statements.COLUMNS`."""
    id_, entry_id, user_id, tenant_id, address, amount, status, place, traceparent = row
    return MintRequest(
        id=id_,
        entry_id=entry_id,
        user_id=user_id,
        tenant_id=tenant_id and TenantId(tenant_id),
        address=address,
        amount=int(amount),
        status=RequestStatus(status),
        place=place,
        traceparent=traceparent,
    )
