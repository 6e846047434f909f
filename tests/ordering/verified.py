"""What `strongbox verify` finds of orders, or of another context, and of what funds and the catalogue tell of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.contexts.catalog.adapters.operations.checks import checks_of_the_catalogue
from app.contexts.funds.adapters.operations.checks import checks_of_funds
from app.contexts.ordering.adapters.operations.checks import checks_of_ordering
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.facts import Facts
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import OfTenants, Tenants

RECOVER_AFTER_S = 15.0


class Looked(Protocol):
    """What is looked at: one tenant's, in the database at these URLs."""

    @property
    def urls(self) -> Urls: ...
    @property
    def tenant(self) -> TenantId: ...


CheckedBy = Callable[[Database, float], Checks]
"""A context's checks over a database. Recovery begins so long after something was."""


async def offenders(market: Looked, checked_by: CheckedBy = checks_of_ordering) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    url = market.urls.app_url
    known, found = f"SELECT '{market.tenant}'", []
    own = checked_by(Database("DATABASE_URL", url), RECOVER_AFTER_S)
    told = {
        name: query
        for context in (
            checks_of_funds(own.database),
            checks_of_the_catalogue(own.database),
            checks_of_ordering(own.database, RECOVER_AFTER_S),
        )
        for name, query in context.facts.items()
    }
    async with snapshot(url) as before, snapshot(url) as others, snapshot(url) as after, snapshot(url) as tenants:
        facts = Facts(Tenants(tenants, known), {name: (others, query) for name, query in told.items()})
        assert own.agree is not None
        checks = [
            *own.within(before),
            *(OfTenants(before, facts.tenants_known, *claim) for claim in own.of_tenants),
            *own.agree(before, after, facts),
        ]
        for check in checks:
            found += [(check.name, line) async for line in check.offenders()]
    return found
