"""Give out a nonce: a message is good once that has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.contexts.identity.application.wallet_domains import WalletDomains
from app.kernel.principal import TenantId


class NewNonces(Protocol):
    """Makes nonces."""

    async def issue(self, tenant_id: TenantId, ttl_s: float) -> tuple[str, datetime]:
        """A nonce that there never was, and until when it is good.

        Raises:
            Unavailable: none can be made now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce with what belongs into the message beside it."""

    nonce: str
    expires_at: datetime
    domain: str
    chain_ids: Sequence[str]


class IssueNonce:
    """Gives out nonces."""

    def __init__(self, nonces: NewNonces, domains: WalletDomains, chain_ids: Sequence[str], ttl_s: float) -> None:
        self._nonces = nonces
        self._domains = domains
        self._chain_ids = chain_ids
        self._ttl_s = ttl_s

    async def __call__(self, tenant_id: TenantId, asked: str) -> Nonce:
        """A nonce for somebody of the tenant's, who asks at this host (and port).

        Raises:
            Unavailable: none can be made now.
        """
        domain = await self._domains.told(tenant_id, asked)
        nonce, expires_at = await self._nonces.issue(tenant_id, self._ttl_s)
        return Nonce(nonce, expires_at, domain, self._chain_ids)
