"""Whatever contradicts itself in the ledger of cashback is found, and nothing else."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from app.contexts.rewards.adapters.operations.checks import checks_of_rewards
from app.main.local.roles import Urls
from app.platform.postgres.evidence import Database
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import OfTenants, Tenants
from tests.fakes.people import Somebody
from tests.rewards.shop import ADDRESS, Shop, payment


async def offenders(url: str, shop: Shop) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    own, found = checks_of_rewards(Database("DATABASE_URL", url)), []
    known = " UNION ALL ".join(f"SELECT '{house.tenant_id}'" for house in shop.people.houses)
    async with snapshot(url) as books:
        tenants = Tenants(books, known)
        for check in [*own.within(books), *(OfTenants(books, tenants, *claim) for claim in own.of_tenants)]:
            found += [(check.name, line) async for line in check.offenders()]
    return found


@pytest.fixture
def lived(shop: Shop) -> dict[str, object]:
    """Somebody with a bit of everything: what was minted, is owed, failed, waits."""
    shop.rule(100)
    alice, bob = shop.user(ADDRESS), shop.user()
    first = shop.bought(alice)
    shop.mint(alice, shop.told(alice, "mint.requested")[0])
    shop.refund(first, amount=500)
    second = shop.bought(alice)
    shop.fail(alice, shop.told(alice, "mint.requested")[1])
    shop.hear("payment.completed", payment(bob))
    third = shop.bought(bob)
    shop.refund(third, amount=1)
    shop.bought(shop.user(tenant=shop.people.other_tenant, is_told=True), machine=_till_of_another(shop))
    return {
        "user": alice.id, "waiting": bob.id, "entry": first["cashback"]["entry_id"],
        "minting": second["cashback"]["entry_id"], "accrued": third["cashback"]["entry_id"],
        "purchase": first["purchase_id"], "line": uuid4(),
    }  # fmt: skip


def _till_of_another(shop: Shop) -> Somebody:
    return shop.people.machine("purchases:write", tenant=shop.people.other_tenant)


async def test_a_ledger_that_has_lived_adds_up(shop: Shop, lived: dict[str, object], module_database: Urls) -> None:
    assert await offenders(module_database.app_url, shop) == []


ADDS, ENTRIES, ONCE, ASKED = (
    "cashback_adds_up", "entries_of_cashback_add_up", "cashback_is_minted_once", "cashback_is_asked_for",
)  # fmt: skip
TAMPERINGS: dict[str, set[str]] = {
    "UPDATE rewards.users SET minted = minted + 1 WHERE user_id = %(user)s": {ADDS},
    "UPDATE rewards.users SET accrued = accrued + 1, minting = minting - 1 WHERE user_id = %(user)s": {ADDS},
    "ALTER TABLE rewards.users DROP CONSTRAINT users_pay_first;"
    " UPDATE rewards.users SET accrued = accrued + 5, debt = 5 WHERE user_id = %(waiting)s": {ADDS},
    "DELETE FROM rewards.users WHERE user_id = %(waiting)s": {ADDS},
    "UPDATE rewards.cashback_ledger SET amount = amount + 1 WHERE entry_id = %(entry)s AND kind = 'MINTED'": {
        ADDS,
        ENTRIES,
    },
    "UPDATE rewards.cashback_ledger SET owed = owed - 1 WHERE entry_id = %(entry)s AND kind = 'REVERSED'": {
        ADDS,
        ENTRIES,
    },
    "DELETE FROM rewards.cashback_ledger WHERE entry_id = %(accrued)s": {ADDS, ENTRIES},
    "UPDATE rewards.entries SET reversed = 0 WHERE id = %(entry)s": {ENTRIES},
    "UPDATE rewards.purchases SET cashback = cashback + 1 WHERE entry_id = %(entry)s": {ENTRIES},
    "DELETE FROM rewards.purchases WHERE entry_id = %(entry)s": {ENTRIES},
    "UPDATE rewards.refunds SET amount = 1001 WHERE purchase_id = %(purchase)s": {ENTRIES},
    "UPDATE rewards.refunds SET reversed = reversed - 1 WHERE purchase_id = %(purchase)s": {ENTRIES},
    "DROP INDEX rewards.cashback_ledger_one_mint; INSERT INTO rewards.cashback_ledger"
    " SELECT bucket, tenant_id, user_id, %(line)s, entry_id, kind, amount, owed, refund_id, gen_random_uuid(), tx_hash,"
    " reason, created_at FROM rewards.cashback_ledger WHERE entry_id = %(entry)s AND kind = 'MINTED'": {
        ADDS,
        ENTRIES,
        ONCE,
    },
    "UPDATE rewards.cashback_ledger SET kind = 'OFFSET', request_id = NULL WHERE entry_id = %(minting)s"
    " AND kind = 'MINTING'": {ADDS, ENTRIES, ONCE},
    "UPDATE rewards.users SET address = '0x' || repeat('0', 40) WHERE user_id = %(waiting)s": {ASKED},
    "ALTER TABLE rewards.rules NO FORCE ROW LEVEL SECURITY": {"rewards_tenants_are_walled_off"},
    "ALTER TABLE rewards.processed_events ADD tenant_id uuid": {"rewards_tenants_are_walled_off"},
}
UNDONE = {
    "ALTER TABLE rewards.rules NO FORCE ROW LEVEL SECURITY": "ALTER TABLE rewards.rules FORCE ROW LEVEL SECURITY",
    "ALTER TABLE rewards.processed_events ADD tenant_id uuid": "ALTER TABLE rewards.processed_events DROP tenant_id",
}
_TABLES = ("cashback_ledger", "entries", "refunds", "purchases", "users")


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_contradiction_is_found(
    shop: Shop, lived: dict[str, object], module_database: Urls, tampering: str
) -> None:
    for statement in tampering.split("; "):
        shop.execute(statement, lived)
    try:
        found = await offenders(module_database.app_url, shop)
        assert {name for name, _ in found} == TAMPERINGS[tampering], found
    finally:
        if tampering in UNDONE:
            shop.execute(UNDONE[tampering])
        for table in _TABLES:
            shop.execute(f"TRUNCATE rewards.{table}")
