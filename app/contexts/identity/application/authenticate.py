"""Who asks: by a token that was signed, or by a session's cookie."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.application.who_stands import Key, Kind, Standing, WhoStands
from app.contexts.identity.domain.access_token import AccessToken
from app.contexts.identity.domain.secret import digest, tenant_of
from app.kernel.principal import Principal, TenantId
from app.platform.people import Credential, NotLetIn


class Verifier(Protocol):
    """Tells genuine tokens."""

    def verify(self, token: str) -> AccessToken:
        """Whose token it is. Whether it has ended is for the database's clock to say.

        Raises:
            NotLetIn: it is none of ours.
        """
        ...


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Lets in. It implements `Authenticator`."""

    tokens: Verifier
    who_stands: WhoStands
    tenants: KnownTenants
    ticks: Callable[[], float] = time.monotonic

    async def authenticate(self, credential: Credential) -> Principal:
        """See `Authenticator.authenticate`."""
        if credential.is_cookie:
            tenant_id, principal = await self._by_cookie(credential.token)
        else:
            tenant_id, principal = await self._by_token(credential.token)
        if not await self.tenants.admits(credential.host, tenant_id):
            raise NotLetIn
        return principal

    async def tenant_of(self, host: str) -> TenantId:
        """See `Authenticator.tenant_of`."""
        return await self.tenants.of_host(host)

    async def _by_cookie(self, token: str) -> tuple[TenantId, Principal]:
        tenant_id = tenant_of(token)
        if tenant_id is None:
            raise NotLetIn
        standing = await self._standing(tenant_id, Key(Kind.SESSION, digest(token)))
        return tenant_id, standing.principal

    async def _by_token(self, text: str) -> tuple[TenantId, Principal]:
        token = self.tokens.verify(text)
        key = Key(Kind.FAMILY, token.family_id) if token.family_id else Key(Kind.CLIENT, token.id)
        standing = await self._standing(token.tenant_id, key)
        principal = standing.principal
        # What a token says counts as far as the database says the same, now and by its own clock.
        is_same = (principal.id, standing.generation) == (token.id, token.generation)
        if not is_same or token.expires_at_s <= standing.clock_s + self.ticks():
            raise NotLetIn
        if token.scopes != principal.scopes:
            principal = replace(principal, scopes=token.scopes & principal.scopes)
        return token.tenant_id, principal

    async def _standing(self, tenant_id: TenantId, key: Key) -> Standing:
        standing = self.who_stands.fresh(key) or await self.who_stands.ask(tenant_id, key)
        if standing.principal.tenant_id != tenant_id:
            raise NotLetIn
        return standing
