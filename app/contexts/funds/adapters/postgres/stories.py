"""What the books have of one transfer, and of one hold."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from app.contexts.funds.adapters.postgres import story_statements as statements
from app.contexts.funds.adapters.postgres.hold_rows import hold_of
from app.contexts.funds.application.story_records import (
    BookedHold,
    BookedTransfer,
    KeyRecord,
    Leg,
    OperationRow,
    Part,
)
from app.kernel.ids import UserId
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.pipeline import Row

LOOK_S: Final = 5.0


class PostgresStories:
    """The books' database. It implements `StoryRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def transfer(self, transfer_id: UUID) -> BookedTransfer | None:
        """See `StoryRecords.transfer`."""
        async with inspecting(self._url, LOOK_S) as books:
            rows = await _all(books, statements.TRANSFER, {"id": transfer_id})
            if not rows:
                return None
            at = rows[0][-1]
            legs = await _all(books, statements.LEGS, {"id": transfer_id})
            keys = await _all(books, statements.KEY, {"id": transfer_id, "at": at})
            events = await _all(books, statements.EVENTS, {"id": transfer_id})
        return _transfer(transfer_id, rows[0], legs, keys, events)

    async def hold(self, hold_id: UUID) -> BookedHold | None:
        """See `StoryRecords.hold`."""
        async with inspecting(self._url, LOOK_S) as books:
            rows = await _all(books, statements.HOLD, {"id": hold_id})
            if not rows:
                return None
            *columns, now = rows[0]
            hold = hold_of(columns)
            known = {
                "id": hold_id,
                "user_id": hold.owner,
                "from": hold.created_at,
                "until": hold.closed_at or now,
                "business_id": hold.business_id,
                "context": hold.context,
            }
            legs = await _all(books, statements.MOVEMENTS, known)
            ((walked,),) = await _all(books, statements.COUNT_WALKED, known)
            captured = await _all(books, statements.CAPTURED, known)
            fees = await _all(books, statements.FEE, known)
            operations = await _all(books, statements.OPERATIONS, known)
            events = await _all(books, statements.EVENTS, known)
        return BookedHold(
            hold=hold,
            legs=[*map(Leg._make, legs), *(Leg(*row[:-1]) for row in captured)],
            parts=[Part(row[0], row[-1]) for row in captured],
            fee_minor=fees[0][0] if fees else 0,
            operations=list(map(OperationRow._make, operations)),
            events=[WrittenEvent(*row) for row in events],
            is_whole=walked < statements.WALKED and len(captured) < statements.MOST_PARTS,
            now=now,
        )

    async def place_of(self, wanted: UUID) -> str | None:
        """See `StoryRecords.place_of`."""
        async with inspecting(self._url, LOOK_S) as books:
            rows = await _all(books, statements.PLACE, {"id": wanted})
        return rows[0][0] if rows else None


def _transfer(transfer_id: UUID, row: Row, legs: list[Row], keys: list[Row], events: list[Row]) -> BookedTransfer:
    user_id, kind, amount, currency, counterparty, note, reference, business_id, at = row
    is_out = kind == "TRANSFER_OUT"
    return BookedTransfer(
        id=transfer_id,
        sender=UserId(user_id) if is_out else counterparty and UserId(counterparty),
        recipient=UserId(counterparty) if is_out else UserId(user_id),
        amount_minor=amount,
        currency=currency,
        note=note,
        reference=reference,
        business_id=business_id,
        created_at=at,
        legs=list(map(Leg._make, legs)),
        key=_key(keys[0]) if keys else None,
        events=[WrittenEvent(*row) for row in events],
    )


def _key(row: Row) -> KeyRecord:
    principal, key, finalized_at, status = row
    return KeyRecord(principal, sha256(key.encode()).hexdigest()[:16], finalized_at, status)


async def _all(connection: AsyncConnection[Row], query: str, known: Mapping[str, object]) -> list[Row]:
    return await (await connection.execute(query.encode(), known)).fetchall()
