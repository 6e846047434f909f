"""Which domains a tenant's people may sign in at, and which one they are told."""

from uuid import UUID

import pytest

from app.contexts.identity.application.wallet_domains import WalletDomains, host_of
from app.kernel.principal import TenantId

HOUSE, OTHER, THIRD = (TenantId(UUID(int=number)) for number in (1, 2, 3))


class Tenants:
    """Of two tenants one has a host whose domain is listed, and one has another."""

    async def of_host(self, host: str) -> TenantId:
        return {"other.example": OTHER, "third.example": THIRD}.get(host, HOUSE)


DOMAINS = WalletDomains(("shop.example", "localhost:8080", "other.example", "other.example:8443"), Tenants())


async def test_a_tenant_has_the_domains_that_are_its_host() -> None:
    assert await DOMAINS.of(OTHER) == ["other.example", "other.example:8443"]


async def test_the_default_tenant_has_those_that_are_nobodys() -> None:
    assert await DOMAINS.of(HOUSE) == ["shop.example", "localhost:8080"]


async def test_so_has_a_tenant_of_whose_host_none_is_listed() -> None:
    assert await DOMAINS.of(THIRD) == ["shop.example", "localhost:8080"]


@pytest.mark.parametrize(
    ("tenant", "asked", "told"),
    [
        (HOUSE, "shop.example", "shop.example"),
        (HOUSE, "localhost:8080", "localhost:8080"),
        (HOUSE, "LOCALHOST:8080", "localhost:8080"),
        (HOUSE, "localhost", "shop.example"),
        (HOUSE, "api.example", "shop.example"),
        (HOUSE, "", "shop.example"),
        (OTHER, "other.example:8443", "other.example:8443"),
        (OTHER, "other.example:80", "other.example"),
        (THIRD, "third.example", "shop.example"),
    ],
)
async def test_the_domain_told_is_the_host_if_it_is_listed_and_else_the_first(
    tenant: TenantId, asked: str, told: str
) -> None:
    assert await DOMAINS.told(tenant, asked) == told
    assert told in await DOMAINS.of(tenant)


@pytest.mark.parametrize(
    ("domain", "host"),
    [("a.example", "a.example"), ("a.example:1", "a.example"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("", "")],
)
def test_a_host_is_a_domain_without_its_port(domain: str, host: str) -> None:
    assert host_of(domain) == host
