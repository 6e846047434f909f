"""Log out: the log-in ends, with all that came of it, by whatever of it is shown."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.domain.secret import digest, tenant_of
from app.kernel.principal import Principal, TenantId

Forget = Callable[[UUID], None]
"""Has this process remember nothing of a user."""


class EndsFamilies(Protocol):
    """Where log-ins are kept, for those who end them."""

    async def end(self, tenant_id: TenantId, family_id: UUID) -> None:
        """End a family. One that has ended stays so.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...

    async def end_of_token(self, tenant_id: TenantId, token_hash: bytes) -> UUID | None:
        """End the family of a refresh token, if there is one that has not ended; whose it was.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...


class LogOut:
    """Ends log-ins."""

    def __init__(self, families: EndsFamilies, tenants: KnownTenants, forget: Forget) -> None:
        self._families = families
        self._tenants = tenants
        self._forget = forget

    async def of(self, principal: Principal) -> None:
        """End the one that somebody was let in by.

        Raises:
            Unavailable: it cannot be done now.
        """
        if principal.session_id is not None:
            await self._families.end(principal.tenant_id, principal.session_id)
            self._forget(principal.id)

    async def by(self, host: str, token: str) -> None:
        """End the one that a refresh token belongs to, spent or not. Of none, or none for this host, there is none.

        Raises:
            Unavailable: it cannot be done now.
        """
        tenant_id = tenant_of(token)
        if tenant_id is None or not await self._tenants.admits(host, tenant_id):
            return
        user_id = await self._families.end_of_token(tenant_id, digest(token))
        if user_id is not None:
            self._forget(user_id)
