"""What `strongbox verify` finds of auctions, and of what funds tell of them."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.operations.checks import checks_of_auctions
from app.contexts.funds.adapters.operations.checks import checks_of_funds
from app.platform.postgres.evidence import Database
from app.platform.postgres.facts import Facts
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import OfTenants, Tenants
from tests.auctions.house import AuctionHouse

RECOVER_AFTER_S = 15.0


async def offenders(house: AuctionHouse) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    url = house.urls.app_url
    known, found = f"SELECT '{house.tenant}'", []
    own = checks_of_auctions(Database("DATABASE_URL", url), RECOVER_AFTER_S)
    told = checks_of_funds(own.database).facts
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
