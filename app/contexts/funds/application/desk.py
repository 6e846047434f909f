"""Funds as other contexts have them: each call is one command of a batch."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from app.contexts.funds.application.closing import Capture, Closing, Release
from app.contexts.funds.domain.hold import HoldRef
from app.contexts.funds.domain.operation import (
    Credit,
    Member,
    Operation,
    Part,
    Placement,
    Resize,
    Transfer,
)
from app.contexts.funds.public import Closed, Done, Forbidden, Outcome, Refused
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

Performing = Callable[[Operation], Awaitable[Outcome]]
Forbidding = Callable[[OperationId], Awaitable[Done | Refused | Forbidden]]
CloseOne = Callable[[Closing], Awaitable[Closed | Refused]]


class Desk:
    """Asks the batched use cases. It implements `Funds`."""

    def __init__(self, perform: Performing, forbid: Forbidding, close: CloseOne) -> None:
        self._perform = perform
        self._forbid = forbid
        self._close = close

    async def transfer(
        self, operation: OperationId, tenant_id: TenantId, sender: UserId, recipient: UserId, money: Money
    ) -> Outcome:
        """See `Funds.transfer`."""
        return await self.together(operation, [Transfer(tenant_id, sender, recipient, money)])

    async def hold(
        self, operation: OperationId, tenant_id: TenantId, owner: UserId, money: Money, expires_at: datetime | None
    ) -> Outcome:
        """See `Funds.hold`."""
        return await self.together(operation, [Placement(tenant_id, owner, money, expires_at)])

    async def resize(self, operation: OperationId, hold: HoldRef, amount_minor: int) -> Outcome:
        """See `Funds.resize`."""
        return await self.together(operation, [Resize(hold, amount_minor)])

    async def credit(self, operation: OperationId, tenant_id: TenantId, recipient: UserId, money: Money) -> Outcome:
        """See `Funds.credit`."""
        return await self.together(operation, [Credit(tenant_id, recipient, money)])

    async def together(self, operation: OperationId, members: Sequence[Member]) -> Outcome:
        """See `Funds.together`."""
        return await self._perform(Operation(operation, tuple(members)))

    async def forbid(self, operation: OperationId) -> Done | Refused | Forbidden:
        """See `Funds.forbid`."""
        return await self._forbid(operation)

    async def capture(self, hold: HoldRef, parts: Sequence[Part]) -> Closed | Refused:
        """See `Funds.capture`."""
        return await self._close(Capture(hold, tuple(parts)))

    async def release(self, hold: HoldRef) -> Closed | Refused:
        """See `Funds.release`."""
        return await self._close(Release(hold))
