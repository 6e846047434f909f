"""Forbid reservations: what has not happened never will."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.catalog.application.stock_room import Prohibitions
from app.contexts.catalog.domain.refusals import ReservationForbidden
from app.contexts.catalog.public import Reserved
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant


@dataclass(frozen=True, slots=True)
class Prohibition:
    """An operation that is not to happen."""

    tenant_id: TenantId
    operation: OperationId


class Forbid:
    """Forbids a batch, in one transaction a tenant. Those that have happened keep their outcome; one that was out of
    stock has not, and never will.
    """

    def __init__(self, prohibitions: Prohibitions) -> None:
        self._prohibitions = prohibitions

    async def __call__(self, asked: Sequence[Prohibition]) -> Sequence[Reserved | ReservationForbidden]:
        return await by_tenant(asked, self._forbid)

    async def _forbid(
        self, tenant_id: TenantId, asked: Sequence[Prohibition]
    ) -> Sequence[Reserved | ReservationForbidden]:
        operations = list(dict.fromkeys(each.operation for each in asked))
        records = await self._prohibitions.forbid(tenant_id, operations)
        outcomes = [records[each.operation].outcome for each in asked]
        return [outcome if isinstance(outcome, Reserved) else ReservationForbidden() for outcome in outcomes]
