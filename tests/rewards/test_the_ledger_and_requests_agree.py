"""What `strongbox verify` finds where the ledger of cashback and the requests for its tokens contradict each other."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.contexts.mint.adapters.operations.checks import checks_of_mint
from app.contexts.rewards.adapters.operations.checks import checks_of_rewards
from app.main.local.roles import Urls
from app.platform.postgres.evidence import Database
from app.platform.postgres.facts import Facts
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import Tenants
from tests.rewards.shop import ADDRESS, Shop

_KEEP = """
    INSERT INTO mint.mint_requests (request_id, entry_id, user_id, for_tenant, place, address, amount, status, tx_hash,
                                    reason, ask_after, created_at, submitted_at, settled_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END, now(), now(),
            CASE WHEN NOT %s THEN now() END)
"""


async def offenders(url: str, shop: Shop, *requests: str) -> Sequence[str]:
    """What is found of these requests: others are those of tests before."""
    database, found = Database("DATABASE_URL", url), list[str]()
    known = " UNION ALL ".join(f"SELECT '{house.tenant_id}'" for house in shop.people.houses)
    (query,) = checks_of_rewards(database).facts.values()
    checks = checks_of_mint(database, 24.0)
    assert checks.agree is not None
    async with snapshot(url) as before, snapshot(url) as between, snapshot(url) as after:
        facts = Facts(Tenants(between, known), {"rewards.requests": (between, query)})
        for check in checks.agree(before, after, facts):
            assert check.name == "requests_and_cashback_agree"
            found += [line async for line in check.offenders()]
    return [line for line in found if line.split()[1] in requests]


def keep(shop: Shop, asked: dict[str, Any], tenant: UUID, status: str, place: int = 1) -> None:
    """Have it be a request, as minting keeps it."""
    is_open = status == "SUBMITTED"
    shop.query(
        _KEEP, asked["request_id"], asked["entry_id"], asked["user_id"], tenant, place, asked["address"].lower(),
        int(asked["amount"]), status, "0x" + "1" * 64, "REVERTED" if status == "FAILED" else None, is_open, is_open,
    )  # fmt: skip


@pytest.fixture
def requests(shop: Shop) -> list[str]:
    """A request that was minted, one that failed, the one behind it, under way, and one that nobody has heard yet."""
    shop.rule(100)
    alice, tenant = shop.user(ADDRESS), shop.people.tenant
    for amount in (1_000, 2_000, 3_000):
        shop.bought(alice, amount)
    minted, failed, unheard = shop.told(alice, "mint.requested")
    shop.mint(alice, minted)
    keep(shop, minted, tenant, "MINTED")
    shop.fail(alice, failed)
    keep(shop, failed, tenant, "FAILED")
    again = shop.told(alice, "mint.requested")[-1]
    keep(shop, again, tenant, "SUBMITTED", place=2)
    return [each["request_id"] for each in (minted, failed, again, unheard)]


async def test_where_nobody_touched_anything_they_agree(shop: Shop, requests: list[str], module_database: Urls) -> None:
    shop.query("UPDATE mint.mint_requests SET status = 'MINTED', ask_after = NULL, settled_at = now() WHERE place = 2")
    assert await offenders(module_database.app_url, shop, *requests) == []  # the ledger has not heard of it yet


TAMPERED = {
    "minted by the ledger alone": (
        "UPDATE mint.mint_requests SET status = 'SUBMITTED', settled_at = NULL, ask_after = now()"
        " WHERE request_id = '{id}'",
        "is SUBMITTED, and the ledger says MINTED",
    ),
    "failed and minted": (
        "UPDATE mint.mint_requests SET status = 'FAILED', reason = 'x' WHERE request_id = '{id}'",
        "is FAILED, and the ledger says MINTED",
    ),
    "lost": ("DELETE FROM mint.mint_requests WHERE request_id = '{id}'", "is unknown, and the ledger says MINTED"),
    "of more": (
        "UPDATE mint.mint_requests SET amount = amount + 1 WHERE request_id = '{id}'",
        "is for 100001, and the ledger has 100000",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_an_owner_did_is_named(shop: Shop, requests: list[str], module_database: Urls, how: str) -> None:
    statement, line = TAMPERED[how]
    shop.query(statement.format(id=requests[0]))
    assert await offenders(module_database.app_url, shop, *requests) == [f"request {requests[0]} {line}"]


async def test_a_request_of_nobodys_is_named(shop: Shop, requests: list[str], module_database: Urls) -> None:
    stranger = {name: str(uuid4()) for name in ("request_id", "entry_id", "user_id")}
    keep(shop, stranger | {"address": ADDRESS, "amount": "5"}, shop.people.tenant, "SUBMITTED")
    (line,) = await offenders(module_database.app_url, shop, *requests, stranger["request_id"])
    assert line == f"request {stranger['request_id']} is SUBMITTED, and no line of the ledger asks for it"
