"""Read a page of the machines of a tenant, without anything secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.kernel.principal import TenantId


class Machine(NamedTuple):
    """A machine's account. Its generation counts the secrets that it had."""

    id: UUID
    name: str
    scopes: Sequence[str]
    is_active: bool
    generation: int
    created_at: datetime
    rotated_at: datetime | None


class Machines(Protocol):
    """Reads machines' accounts."""

    async def machines(self, tenant_id: TenantId, before: UUID | None, limit: int) -> Sequence[Machine]:
        """Up to `limit` of a tenant's with smaller ids than `before`, the largest first, which is the newest.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


async def read_machines(
    machines: Machines, tenant_id: TenantId, before: UUID | None, limit: int
) -> tuple[Sequence[Machine], UUID | None]:
    """Up to `limit` machines, and behind which the next page begins, if there is one.

    Raises:
        Unavailable: it cannot be known now.
    """
    found = await machines.machines(tenant_id, before, limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None
