"""Which domains people may sign in at with a wallet, tenant by tenant."""

from collections.abc import Sequence
from typing import Protocol

from app.kernel.principal import TenantId


class Hosts(Protocol):
    """Knows whose a host is."""

    async def of_host(self, host: str) -> TenantId:
        """Whose host it is, in lower case and without a port; the default tenant's where it is nobody's.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class WalletDomains:
    """The domains of the settings. A domain is of the tenant whose host it is; one with none of its own has those that
    are nobody's."""

    def __init__(self, listed: Sequence[str], hosts: Hosts) -> None:
        """There has to be one in the list, each as browsers write it."""
        self._listed = listed
        self._hosts = hosts

    async def of(self, tenant_id: TenantId) -> Sequence[str]:
        """The domains of the tenant, those that are listed first coming first.

        Raises:
            Unavailable: it cannot be known now.
        """
        owners = [await self._hosts.of_host(host_of(domain)) for domain in self._listed]
        if tenant_id not in owners:
            tenant_id = await self._hosts.of_host("")
        return [domain for domain, owner in zip(self._listed, owners, strict=True) if owner == tenant_id]

    async def told(self, tenant_id: TenantId, asked: str) -> str:
        """The domain that somebody is told to sign in at who asks at this host (and port): that one if it is listed.

        Raises:
            Unavailable: it cannot be known now.
        """
        if asked.lower() in self._listed:
            return asked.lower()
        return next(iter(await self.of(tenant_id)), self._listed[0])


def host_of(domain: str) -> str:
    """A domain without its port."""
    end = domain.rfind(":")
    return domain if end < 0 or domain.endswith("]") else domain[:end]
