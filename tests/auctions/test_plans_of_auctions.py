"""Auctions are listed and found by index, however many there are, and whatever is known of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.contexts.auctions.adapters.postgres import calendar, listings
from app.contexts.auctions.application.browse import Filters, Place, Sort, Wanted
from app.contexts.auctions.domain.auction import Status
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.catalog.public import CategoryId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from tests.builders import NOON
from tests.plans import cost_of, pages_of, plan_of

MANY = 20_000
MOST_COST = 2_000
TENANT, SELLER, CATEGORY, AUCTION = TenantId(UUID(int=1)), UserId(UUID(int=2)), CategoryId(UUID(int=3)), UUID(int=4)

# Of a tenant's auctions nine of ten are over, a quarter are of one seller, and a quarter of one category.
_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, category_id, currency,
        starting_price, steps, extend_s, starts_at, planned_end, ends_at, status, price, bid_count, bidder_count,
        last_event_id, closing, closing_at, closed_at, created_at, updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, seller, gen_random_uuid(), 'a lamp', category, 'USD', 1,
           '0:1', 120, at - interval '2 days', at, at, status, 1, 0, 0, 1,
           CASE WHEN status <> 'open' THEN 'end' END, CASE WHEN status <> 'open' THEN at END,
           CASE WHEN status IN ('ended', 'cancelled') THEN at END, at - interval '1 hour', at
    FROM generate_series(1, {MANY}) n, LATERAL (
        SELECT gen_random_uuid() AS id,
               CASE WHEN n % 4 = 0 THEN '{SELLER}' ELSE gen_random_uuid() END AS seller,
               CASE WHEN n % 4 = 1 THEN '{CATEGORY}' ELSE gen_random_uuid() END AS category,
               CASE WHEN n <= 20 THEN 'closing' WHEN n % 10 = 0 THEN 'open' WHEN n % 10 = 1 THEN 'cancelled'
                    ELSE 'ended' END AS status,
               now() + make_interval(secs => CASE WHEN n % 10 = 0 THEN 86400 - n ELSE -n END) AS at
    ) row;
"""
_OPENINGS = f"""
    INSERT INTO auctions.openings (bucket, tenant_id, auction_id, created_at)
    SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, now() FROM (SELECT gen_random_uuid() AS id) row;
"""
TABLE = "auctions.auctions"
AFTER = {
    Sort.ENDING: Place(NOON.replace(year=2000), AuctionId(UUID(int=0))),
    Sort.NEWEST: Place(NOON.replace(year=2100), AuctionId(UUID(int=2**128 - 1))),
}


def page(status: Status | None, sort: Sort, **of: Any) -> Wanted:
    return Wanted(filters=Filters(status, **of), sort=sort, after=AFTER[sort], limit=50)


PAGES = {
    f"{status.value if status else 'all'} {sort.value}": page(status, sort)
    for status in (None, Status.LIVE, Status.ENDED, Status.CANCELLED)
    for sort in Sort
} | {
    f"{name} {sort.value}": page(None, sort, **of)
    for name, of in (("seller", {"seller": SELLER}), ("category", {"categories": (CATEGORY,)}))
    for sort in Sort
}  # fmt: skip
ROUND: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "one": (listings.ONE, (4, AUCTION, TENANT)),
    "bids": (listings.BIDS, (4, AUCTION, TENANT, 2**31, 51)),
    "ending": (calendar.ENDING, (TENANT, 64)),
    "closing": (calendar.TAKE_CLOSING, (10.0, TENANT, 15.0, 15.0, 64)),
    "opening": (calendar.TAKE_OPENING, (10.0, TENANT, 15.0, 15.0, 64)),
    "sellers": (calendar.SELLERS, (TENANT,)),
    "of sellers": (calendar.OF_SELLERS, (TENANT, [SELLER], 64)),
    "backlog": (calendar.BACKLOG, (TENANT, TENANT, TENANT)),
}


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(f"ALTER TABLE {TABLE} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        owner.execute(_OPENINGS.encode())
        owner.execute(then.encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose table has grown, and is known to the planner."""
    return fill(make_fresh_database(), f"ANALYZE {TABLE}")


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics."""
    return fill(make_fresh_database(), "SELECT 1")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", ROUND)
def test_what_is_looked_for_again_and_again_is_found_by_index(
    request: pytest.FixtureRequest, state: str, name: str
) -> None:
    statement, values = ROUND[name]
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", statement.text, values, tenant=TENANT)
    assert "Seq Scan on auctions" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_along_its_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    """A page or so for each auction, where reading all of them would take thousands."""
    statement, values = listings.page(TENANT, PAGES[name])
    url, mode = request.getfixturevalue(state), "force_custom_plan"
    plan = plan_of(url, mode, statement.text, values, "ANALYZE, BUFFERS", tenant=TENANT)
    assert "Seq Scan" not in plan, plan
    if state == "filled":
        assert "Sort" not in plan, plan
        assert pages_of(plan) < 400, plan
