"""Machines' accounts, as operators look after them: add one, give one a new secret, disable one."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.contexts.identity.application.ports import Tenants
from app.contexts.identity.domain.client_id import client_id_of, written
from app.contexts.identity.domain.client_refusals import ClientNotFound
from app.contexts.identity.domain.refusals import TenantNotFound
from app.contexts.identity.domain.secret import digest, new_secret
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a machine shows to get tokens. The secret is told this once, and is nowhere else."""

    client_id: str
    client_secret: str


class Clients(Protocol):
    """The machines of tenants."""

    async def add(self, tenant_id: TenantId, client_id: UUID, name: str, secret_hash: bytes, scopes: Set[str]) -> None:
        """Add one.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...

    async def rotate(self, tenant_id: TenantId, client_id: UUID, secret_hash: bytes) -> bool:
        """Put another secret in the place of the last; False where there is no such client, or it is disabled.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...

    async def disable(self, tenant_id: TenantId, client_id: UUID) -> bool:
        """Let it in no more; False where there is no such client.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...


@dataclass(frozen=True, slots=True)
class ManageClients:
    """Looks after the machines of tenants, who go by their names."""

    clients: Clients
    tenants: Tenants
    ids: Ids

    async def add(self, tenant: str, name: str, scopes: Set[str]) -> Credentials:
        """A new machine, which may have these scopes.

        Raises:
            TenantNotFound: there is no such tenant.
            Unavailable: it cannot be done now.
        """
        tenant_id, client_id, secret = await self._tenant(tenant), self.ids(), new_secret()
        await self.clients.add(tenant_id, client_id, name, digest(secret), scopes)
        return Credentials(written(tenant_id, client_id), secret)

    async def rotate(self, tenant: str, text: str) -> Credentials:
        """A new secret for the machine of that id. The tokens of the last one end.

        Raises:
            TenantNotFound, ClientNotFound: there is none, or it is disabled.
            Unavailable: it cannot be done now.
        """
        tenant_id, client_id = await self._named(tenant, text)
        secret = new_secret()
        if not await self.clients.rotate(tenant_id, client_id, digest(secret)):
            raise ClientNotFound
        return Credentials(text, secret)

    async def disable(self, tenant: str, text: str) -> None:
        """Let the machine of that id in no more. Its tokens end.

        Raises:
            TenantNotFound, ClientNotFound: there is none.
            Unavailable: it cannot be done now.
        """
        if not await self.clients.disable(*await self._named(tenant, text)):
            raise ClientNotFound

    async def _tenant(self, name: str) -> TenantId:
        for tenant in await self.tenants.all():
            if tenant.name == name:
                return tenant.id
        raise TenantNotFound(name)

    async def _named(self, tenant: str, text: str) -> tuple[TenantId, UUID]:
        """The tenant, and the machine of the id, which begins with it."""
        tenant_id, named = await self._tenant(tenant), client_id_of(text)
        if named is None or named[0] != tenant_id:
            raise ClientNotFound
        return named
