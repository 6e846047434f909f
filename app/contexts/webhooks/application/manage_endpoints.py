"""Keep endpoints: add, change and forget them, and give them new secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.contexts.webhooks.application.ports import ChangedEndpoints, Seal
from app.contexts.webhooks.domain.addresses import Allowed
from app.contexts.webhooks.domain.endpoint import Endpoint, Status
from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.refusals import EndpointNotFound
from app.contexts.webhooks.domain.signing import SECRET_BYTES, shown
from app.contexts.webhooks.domain.url import checked
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom events may be sent to."""

    allowed: Allowed
    allow_http: bool


@dataclass(frozen=True, slots=True)
class ManageEndpoints:
    """Keeps endpoints. Everything raises Unavailable where it cannot be done now."""

    endpoints: ChangedEndpoints
    seal: Seal
    rules: Rules
    ids: Ids
    random_bytes: Callable[[int], bytes]

    async def add(
        self, tenant_id: TenantId, url: str, types: Sequence[str], description: str | None
    ) -> tuple[Endpoint, str]:
        """A new endpoint, and its secret, which is shown now and never again.

        Raises:
            Unfit: nothing is sent to such a URL.
            TooMany: the tenant has as many as one may have.
        """
        checked(url, self.rules.allowed, allow_http=self.rules.allow_http)
        endpoint_id, secret = EndpointId(self.ids()), self.random_bytes(SECRET_BYTES)

        def make(now: datetime) -> Endpoint:
            return Endpoint(
                id=endpoint_id, tenant_id=tenant_id, url=url, types=tuple(types), description=description,
                status=Status.ACTIVE, version=1, created_at=now, updated_at=now,
            )  # fmt: skip

        endpoint = await self.endpoints.add(tenant_id, make, self.seal.close(secret, endpoint_id))
        return endpoint, shown(secret)

    async def change(self, tenant_id: TenantId, endpoint_id: EndpointId, said: Mapping[str, Any]) -> Endpoint:
        """The endpoint with those of its members changed that are said.

        Raises:
            EndpointNotFound: there is none with that id.
            Unfit: nothing is sent to such a URL.
        """
        if "url" in said:
            checked(said["url"], self.rules.allowed, allow_http=self.rules.allow_http)
        changed = await self.endpoints.change(tenant_id, endpoint_id, lambda found, now: _changed(found, said, now))
        if changed is None:
            raise EndpointNotFound
        return changed

    async def remove(self, tenant_id: TenantId, endpoint_id: EndpointId) -> None:
        """Forget it.

        Raises:
            EndpointNotFound: there is none with that id.
        """
        if not await self.endpoints.remove(tenant_id, endpoint_id):
            raise EndpointNotFound

    async def rotate(self, tenant_id: TenantId, endpoint_id: EndpointId) -> str:
        """Its new secret. For a while the one before signs as well.

        Raises:
            EndpointNotFound: there is none with that id.
        """
        secret = self.random_bytes(SECRET_BYTES)
        if not await self.endpoints.rotate(tenant_id, endpoint_id, self.seal.close(secret, endpoint_id)):
            raise EndpointNotFound
        return shown(secret)


def _changed(found: Endpoint, said: Mapping[str, Any], now: datetime) -> Endpoint:
    if all(getattr(found, name) == value for name, value in said.items()):
        return found
    changed = replace(found, **said, version=found.version + 1, updated_at=now)
    return replace(changed, reason=None) if "status" in said else changed
