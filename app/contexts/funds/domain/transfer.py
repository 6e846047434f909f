"""Money that came to a user: from another, or from outside."""

from datetime import datetime
from typing import NamedTuple

from app.contexts.funds.domain.ids import TransferId
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId


class CompletedTransfer(NamedTuple):
    """A transfer as it happened. Without a sender it came from outside."""

    id: TransferId
    tenant_id: TenantId
    sender: UserId | None
    recipient: UserId
    money: Money
    created_at: datetime
    note: str | None = None
    traceparent: str | None = None
    """Of the request that it was made for."""
