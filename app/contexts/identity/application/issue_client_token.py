"""Give a machine a token, for what it was allowed or less."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.domain.client import Client
from app.contexts.identity.domain.client_id import client_id_of
from app.contexts.identity.domain.client_refusals import InvalidClient, InvalidScope
from app.contexts.identity.domain.lives import MACHINE_TTL_S
from app.contexts.identity.domain.secret import digest
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class ClientToken:
    """What a machine is let in by, for how many seconds, and for what."""

    access_token: str
    expires_in_s: int
    scope: str


class KnownClients(Protocol):
    """The machines, for those who have to know one."""

    async def known(self, tenant_id: TenantId, client_id: UUID, secret_hash: bytes) -> tuple[Client, datetime] | None:
        """The active client of that id, if that is the hash of its secret; and the database's clock.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class ClientTokens(Protocol):
    """Signs tokens of machines."""

    def of_client(self, client: Client, scope: str, now: datetime) -> str:
        """A token of its newest secret, from now on."""
        ...


class IssueClientToken:
    """Gives machines tokens."""

    def __init__(self, clients: KnownClients, tenants: KnownTenants, tokens: ClientTokens) -> None:
        self._clients = clients
        self._tenants = tenants
        self._tokens = tokens

    async def __call__(self, host: str, client_id: str, secret: str, wanted: Set[str] | None) -> ClientToken:
        """A token for the scopes that are wanted; None are all that the client has. `host` is where it was asked for.

        Raises:
            InvalidClient: there is no such client, or not at this host, its secret is another one, or it is disabled.
            InvalidScope: it may not have one of the scopes.
            Unavailable: it cannot be known now.
        """
        named = client_id_of(client_id)
        if named is None or not await self._tenants.admits(host, named[0]):
            raise InvalidClient
        found = await self._clients.known(*named, digest(secret))
        if found is None:
            raise InvalidClient
        client, now = found
        scopes = client.scopes if wanted is None else wanted
        if not scopes <= client.scopes:
            raise InvalidScope
        scope = " ".join(sorted(scopes))
        return ClientToken(self._tokens.of_client(client, scope, now), MACHINE_TTL_S, scope)
