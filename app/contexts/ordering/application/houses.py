"""Whom fees are booked to."""

from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.people import Directory


class Houses:
    """The house users of tenants. A tenant keeps its own for good, so that each is asked for once."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[TenantId, UserId] = {}

    async def of(self, tenant_id: TenantId) -> UserId:
        """The tenant's.

        Raises:
            Unavailable: it cannot be known now.
        """
        if tenant_id not in self._known:
            self._known |= {house.tenant_id: house.house_user_id for house in await self._directory.tenants()}
        if tenant_id not in self._known:
            raise Unavailable("nobody knows the tenant's house")
        return self._known[tenant_id]
