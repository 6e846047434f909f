"""What is new of watched auctions is found along the key, however much has happened, and whatever is known of it."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from app.contexts.auctions.adapters.postgres.live_events import AFTER, STANDING
from app.main.local.roles import Urls
from app.platform.postgres.buckets import bucket_of
from tests.plans import pages_of, plan_of

TENANT = UUID(int=1)
WATCHED = [UUID(int=2**64 + n) for n in range(20)]
EVENTS = 20_000

_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    INSERT INTO auctions.events (bucket, tenant_id, auction_id, event_id, type, document, created_at)
    SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, n, 'bid', '{{}}', now()
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 50)
          UNION ALL SELECT unnest(ARRAY[{", ".join(f"'{one}'::uuid" for one in WATCHED)}])) a,
         generate_series(1, {EVENTS} / 70) n;
    INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, currency, starting_price, steps,
                                   extend_s, starts_at, planned_end, ends_at, status, price, bid_count, bidder_count,
                                   last_event_id, created_at, updated_at)
    SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, id, id, 'a lamp', 'USD', 1, '0:1', 0, now(),
           now() + interval '1 h', now() + interval '1 h', 'open', 1, 0, 0, 1, now(), now()
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 5000)) a
"""
LAST = EVENTS // 70
VALUES = ([bucket_of(one) for one in WATCHED], WATCHED, [LAST - 2] * len(WATCHED), TENANT, 32)


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
        for table in ("events", "auctions"):
            owner.execute(f"ALTER TABLE auctions.{table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        owner.execute(then.encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose table has grown, and is known to the planner."""
    return fill(make_fresh_database(), "ANALYZE auctions.events, auctions.auctions")


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics."""
    return fill(make_fresh_database(), "SELECT 1")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_a_look_at_what_is_watched_goes_along_the_key(request: pytest.FixtureRequest, state: str, mode: str) -> None:
    plan = plan_of(request.getfixturevalue(state), mode, AFTER.text, VALUES, tenant=TENANT)
    assert "Seq Scan" not in plan, plan
    assert "events_pkey" in plan, plan


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_those_whom_many_ask_for_at_once_are_read_by_their_keys(
    request: pytest.FixtureRequest, state: str, mode: str
) -> None:
    plan = plan_of(request.getfixturevalue(state), mode, STANDING.text, (*VALUES[:2], TENANT), tenant=TENANT)
    assert "Seq Scan" not in plan, plan
    assert "auctions_pkey" in plan, plan


def test_it_reads_no_more_than_what_is_new(filled: str) -> None:
    plan = plan_of(filled, "force_generic_plan", AFTER.text, VALUES, "ANALYZE, BUFFERS", TENANT)
    assert f"rows={2 * len(WATCHED)} " in plan, plan
    assert pages_of(plan) < 6 * len(WATCHED), plan
