"""Orders are found by index, however many there are, and whatever is known of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.contexts.ordering.adapters.postgres import orders
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.builders import NOON
from tests.plans import cost_of, pages_of, plan_of

MANY = 20_000
MOST_COST = 2_000
TENANT, USER, ORDER = (UUID(int=n) for n in range(1, 4))

# Of the orders of a tenant somebody has bought a quarter and sold another; a second tenant has as many.
_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    INSERT INTO ordering.orders (bucket, tenant_id, user_id, id, checkout_id, seller_id, items, total, fee, currency,
                                 status, hold_id, house_user_id, created_at, updated_at,
                                 paid_at)
    SELECT get_byte(uuid_send(buyer), 15) & 15, '{TENANT}', buyer, gen_random_uuid(), gen_random_uuid(), seller, '[]',
           1, 0, 'USD', 'paid', gen_random_uuid(), gen_random_uuid(), at, at, at
    FROM generate_series(1, {MANY}) n, LATERAL (
        SELECT CASE WHEN n % 4 = 0 THEN '{USER}' ELSE gen_random_uuid() END AS buyer,
               CASE WHEN n % 4 = 1 THEN '{USER}' ELSE gen_random_uuid() END AS seller,
               now() - make_interval(secs => n) AS at
    ) row;
"""
TABLE = "ordering.orders"

BEHIND = (NOON.replace(year=2100), UUID(int=2**128 - 1))
HOT: dict[str, tuple[Statement, tuple[Any, ...]]] = {
    "order": (orders.ONE, (TENANT, ORDER)),
    "bought": (orders.BOUGHT, (TENANT, USER, *BEHIND, 51)),
    "sold": (orders.SOLD, (TENANT, USER, *BEHIND, 51)),
    "either": (orders.EITHER, (TENANT, USER, *BEHIND, 51, TENANT, USER, *BEHIND, 51, 51)),
    "all": (orders.ALL, (TENANT, *BEHIND, 51)),
}
LISTS = ("bought", "sold", "either", "all")


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(f"ALTER TABLE {TABLE} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        owner.execute(then.format(TABLE).encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose table has grown, and is known to the planner."""
    return fill(make_fresh_database(), "ANALYZE {}")


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics."""
    return fill(make_fresh_database(), "ALTER TABLE {} SET (autovacuum_enabled = false)")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", HOT)
def test_a_statement_finds_its_rows_by_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    statement, values = HOT[name]
    plan = plan_of(request.getfixturevalue(state), "force_generic_plan", statement.text, values)
    assert "Seq Scan" not in plan, plan
    assert cost_of(plan) < MOST_COST, plan


@pytest.mark.parametrize("name", LISTS)
def test_a_page_is_read_along_its_index(filled: str, name: str) -> None:
    """Half a page or so for each order, where reading all of somebody's would take hundreds."""
    statement, values = HOT[name]
    url = f"{filled}?options=-c%20app.current_tenant%3D{TENANT}"
    plan = plan_of(url, "force_generic_plan", statement.text, values, "ANALYZE, BUFFERS")
    assert "rows=51 " in plan, plan
    assert pages_of(plan) < 300, plan
