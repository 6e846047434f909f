"""Messages that an operator has ordered to be put aside: `strongbox dlq bury`.

An order is a row of `audit.actions`, so whichever process holds the message finds it, after a restart, too. It stands
until another row says what became of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.platform.messaging.faults import reason_of
from app.platform.messaging.inbox_database import Database
from app.platform.postgres.actions import add_action

LOOK_EVERY_S: Final = 2.0
STANDS_S: Final = 30.0
"""How long an order stands, whatever became of the command that gave it, which waits as long."""

_STANDING: Final = """
SELECT o.id, o.operator, o.details #>> '{messages,0}' FROM audit.actions AS o
WHERE o.action = 'dlq bury' AND o.details ->> 'phase' = 'begins' AND o.details ->> 'queue' = %(queue)s
  AND o.details #>> '{messages,0}' = ANY(%(ids)s)
  AND o.at > clock_timestamp() - make_interval(secs => %(within_s)s)
  AND NOT EXISTS (SELECT FROM audit.actions AS a WHERE a.action = o.action AND a.details -> 'began_as' = to_jsonb(o.id))
ORDER BY o.id
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """To bury the message, given as that action by the operator."""

    number: int
    operator: str
    message_id: str


class Orders:
    """The orders about a queue. `name` is who carries them out."""

    def __init__(self, database: Database, queue: str, name: str) -> None:
        self._database = database
        self._queue = queue
        self._name = name
        self._fails = False
        self._look_at = 0.0

    async def standing(self, ids: Sequence[str]) -> Sequence[Order]:
        """Those about the messages with the ids; none where it was looked just now, or the record cannot be read."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return []
        self._look_at = now + LOOK_EVERY_S
        try:
            async with self._database.connection() as connection:
                cursor = await connection.execute(
                    _STANDING, {"queue": self._queue, "ids": list(ids), "within_s": STANDS_S}
                )
                rows = await cursor.fetchall()
        except Exception as error:
            if not self._fails:
                _log.warning("orders_not_read", reason=reason_of(error))
            self._fails = True
            return []
        self._fails = False
        await self._database.close()  # hardly ever is anything stuck
        return [Order(*row) for row in rows]

    async def carried_out(self, order: Order, reason: str) -> None:
        """Record that the message is buried. When that fails the order stands, for when the message is stuck again."""
        details = {
            "phase": "buried", "began_as": order.number, "queue": self._queue, "messages": [order.message_id],
            "reason": reason,
        }  # fmt: skip
        try:
            async with self._database.connection() as connection:
                await add_action(connection, self._name, "dlq bury", details)
        except Exception as error:
            _log.error("burial_not_recorded", message_id=order.message_id, reason=reason_of(error))
        await self._database.close()
