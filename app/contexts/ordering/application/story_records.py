"""What ordering has of one order, for its story."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.principal import TenantId
from app.platform.operations.trail import WrittenEvent


class KeyRecord(NamedTuple):
    """The buyer's key that it was ordered by, as a digest, and what is stored of the answer."""

    key_digest: str
    finalized_at: datetime | None
    response_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOrder:
    """An order, the checkout that it came of, that one's key if it is still known, and its events. `now`: the
    database's clock."""

    order: Order
    checkout: Checkout
    key: KeyRecord | None
    events: Sequence[WrittenEvent]
    now: datetime


class StoryRecords(Protocol):
    """Looks into the database, in one snapshot. Raises `Unavailable` while it is out of reach."""

    async def order(self, tenant_id: TenantId, order_id: OrderId) -> BookedOrder | None:
        """All of an order's rows."""
        ...
