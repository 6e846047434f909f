"""The tenants, as this process knows them: asked for once a second at the most."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from app.contexts.identity.application.ports import Tenants
from app.contexts.identity.domain.tenant import DEFAULT, Tenant
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId

OLDEST_S: Final = 0.9
"""What is older is asked for anew: so everybody knows of a change within a second."""
WITHIN_S: Final = OLDEST_S
"""How long the answer is waited for."""


class KnownTenants:
    """Remembers the tenants for less than a second."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._known: Sequence[Tenant] = ()
        self._hosts: dict[str, TenantId] = {}
        self._housed: frozenset[TenantId] = frozenset()
        """Those that have a host, but for the default one."""
        self._default: TenantId | None = None
        self._asked_at = self._in_vain_at = float("-inf")
        self._asking = asyncio.Lock()

    async def all(self) -> Sequence[Tenant]:
        """All of them.

        Raises:
            Unavailable: it cannot be known now.
        """
        now = time.monotonic()
        if now - self._asked_at > OLDEST_S:
            async with self._asking:
                # Whoever waited has what the other asked for, in vain as well.
                if self._in_vain_at >= now:
                    raise Unavailable("nobody can say which tenants there are")
                if time.monotonic() - self._asked_at > OLDEST_S:
                    await self._ask()
        return self._known

    async def of_host(self, host: str) -> TenantId:
        """Whose host it is, in lower case and without a port; the default tenant's where it is nobody's.

        Raises:
            Unavailable: it cannot be known now.
        """
        await self.all()
        assert self._default is not None, "the tenant of the beginning is never removed"
        return self._hosts.get(host, self._default)

    async def admits(self, host: str, tenant_id: TenantId) -> bool:
        """Whether the tenant's people may come to this host: to their own, or to nobody's, unless they have one.

        Raises:
            Unavailable: it cannot be known now.
        """
        await self.all()
        whose = self._hosts.get(host)
        return whose == tenant_id or (whose is None and tenant_id not in self._housed)

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(WITHIN_S):
                known = await self._tenants.all()
        except (TimeoutError, Unavailable):
            self._in_vain_at = time.monotonic()
            raise Unavailable("nobody can say which tenants there are") from None
        self._hosts = {tenant.host: tenant.id for tenant in known if tenant.host is not None}
        self._default = next(tenant.id for tenant in known if tenant.name == DEFAULT)
        self._housed = frozenset(self._hosts.values()) - {self._default}
        self._known, self._asked_at = known, asked_at
