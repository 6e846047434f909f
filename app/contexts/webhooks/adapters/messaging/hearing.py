"""The documents of `webhooks.queue`, as what is sent on: their bytes stay as they were published."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.contexts.webhooks.domain.endpoint import is_kept_from_all
from app.contexts.webhooks.domain.events import Arrived
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.platform.messaging.inbox_database import DatabaseAway
from app.platform.messaging.received_events import Malformed, event
from app.platform.postgres.errors import Fault, NotReplicated, Retry, fault

_NOT_NOW: Final = (Retry, NotReplicated, psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests)


class Hearing:
    """Has the effects of documents: the handler of `webhooks.queue`. What is no tenant's is passed over."""

    def __init__(self, hear: Callable[[Sequence[Arrived]], Awaitable[None]]) -> None:
        self._hear = hear

    async def __call__(self, documents: Sequence[tuple[bytes, UUID | None]]) -> None:
        """Have the effect of each, once for each event's id: of documents with the tenants that their headers name.

        Raises:
            Malformed: one of the documents is no event.
            DatabaseAway: nothing can be done for now.
        """
        arrived = [_arrived(body, TenantId(tenant)) for body, tenant in documents if tenant is not None]
        heard = [one for one in arrived if not is_kept_from_all(one.type)]
        if not heard:
            return
        try:
            await self._hear(heard)
        except _NOT_NOW as error:
            if fault(error) is Fault.OTHER:
                raise
            raise DatabaseAway(type(error).__name__) from error


def _arrived(body: bytes, tenant_id: TenantId) -> Arrived:
    found = event(body)
    try:
        at = found.time.astimezone(UTC)
    except OverflowError:  # what PostgreSQL would keep, and nobody could read
        raise Malformed("time: it is in no year from 1 to 9999") from None
    return Arrived(EventId(found.id), tenant_id, found.type, found.subject, found.sequence, at, body)
