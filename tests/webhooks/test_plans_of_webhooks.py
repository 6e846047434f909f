"""What is due is found by index, however much waits for a dead endpoint, and whatever is known of the tables."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from app.contexts.webhooks.adapters.postgres import (
    deliveries,
    delivery_rows,
    endpoint_rows,
    endpoints,
    event_rows,
    figures,
    lane_rows,
    retention,
)
from app.contexts.webhooks.application.hear import NewDelivery
from app.contexts.webhooks.application.sending import Claim, Ended
from app.contexts.webhooks.domain.delivery import Origin, Result, settled
from app.contexts.webhooks.domain.events import Arrived
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.lane import Lane
from app.kernel.ids import EventId
from app.kernel.principal import TenantId
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Call
from tests.plans import cost_of, pages_of, plan_of

MANY = 20_000
MOST_COST = 3_000
TENANT, DEAD, ALIVE = TenantId(UUID(int=1)), EndpointId(UUID(int=2)), EndpointId(UUID(int=3))
ONE = UUID(int=4)
NOW = datetime.now(UTC)
EVENT = Arrived(EventId(ONE), TENANT, "a.b", ONE, 1, NOW, b"{}")
CLAIM = Claim(TENANT, ALIVE, DeliveryId(ONE), EventId(ONE), 0, 1, "https://x.example", (b"x",), b"{}", 0.0)
ENDED = [(Ended(CLAIM, NOW, Result(200)), settled(Result(200), 1, 0.0, NOW))]

# Nearly all of it waits for one endpoint, most of it is due; the other has a few.
_FILL = f"""
    SELECT set_config('app.current_tenant', '{TENANT}', true);
    INSERT INTO webhooks.houses (tenant) VALUES ('{TENANT}');
    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
        SELECT n, CASE WHEN n = 1 THEN '{DEAD}' WHEN n = 2 THEN '{ALIVE}' ELSE gen_random_uuid() END::uuid AS id
        FROM generate_series(1, 5000) n;
    INSERT INTO webhooks.lanes (bucket, endpoint_id, tenant, is_active, wake_at)
        SELECT get_byte(uuid_send(id), 15) & 15, id, CASE WHEN n % 2 = 1 THEN '{TENANT}' ELSE gen_random_uuid() END,
               true, CASE WHEN n % 100 = 1 THEN now() WHEN n % 2 = 0 THEN now() + interval '1 h' END FROM made;
    INSERT INTO webhooks.endpoints (bucket, tenant_id, id, url, types, status, version, secret, created_at, updated_at)
        SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, 'https://x.example', ARRAY['*'], 'ACTIVE', 1, 'x',
               now(), now() FROM made;
    INSERT INTO webhooks.endpoint_versions (bucket, tenant_id, endpoint_id, version, types, status, starts_at)
        SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, v, ARRAY['*'], 'ACTIVE',
               now() - make_interval(secs => v) FROM made, generate_series(1, 5) v;
    CREATE TEMPORARY TABLE happened ON COMMIT DROP AS
        SELECT n, CASE WHEN n = 1 THEN '{ONE}' ELSE gen_random_uuid() END::uuid AS id
        FROM generate_series(1, {MANY}) n;
    INSERT INTO webhooks.events (bucket, tenant_id, event_id, type, subject, sequence, occurred_at, document)
        SELECT get_byte(uuid_send(id), 15) & 15, '{TENANT}', id, 'a.b', gen_random_uuid(), 1,
               now() - make_interval(secs => n), 'x' FROM happened;
    INSERT INTO webhooks.deliveries (bucket, tenant_id, endpoint_id, event_id, id, origin, type, subject, sequence,
                                     occurred_at, status, attempts, leased, next_attempt_at, created_at)
        SELECT get_byte(uuid_send(e.id), 15) & 15, '{TENANT}', e.id, h.id, gen_random_uuid(), 'event', 'a.b',
               gen_random_uuid(), 1, now(), 'PENDING', 1, h.n % 2500 = 1,
               now() + CASE WHEN h.n % 2500 = 1 THEN interval '10 s' ELSE make_interval(secs => -h.n) END,
               now() - make_interval(secs => h.n)
        FROM happened h JOIN made e ON e.n = CASE WHEN h.n % 200 = 0 THEN 2 ELSE 1 END;
    INSERT INTO webhooks.attempts (bucket, tenant_id, endpoint_id, delivery_id, round, attempt, started_at, took_ms,
                                   status)
        SELECT bucket, tenant_id, endpoint_id, id, 0, 1, created_at, 1, 500 FROM webhooks.deliveries;
"""
_TABLES = ("lanes", "endpoints", "endpoint_versions", "events", "deliveries", "attempts")

_LANES = [Lane(DEAD, is_active=True), Lane(ALIVE, is_active=True)]
HOT: dict[str, Call] = {
    "tenants with something due": (lane_rows.DUE, ()),
    "lanes that are due": lane_rows.take(TENANT, 256),
    "held lanes": lane_rows.hold([DEAD, ALIVE]),
    "woken lanes": lane_rows.wake([DEAD, ALIVE], NOW),
    "lanes that sleep": lane_rows.sleep(TENANT, [(DEAD, False), (ALIVE, False)], NOW),
    "written lanes": lane_rows.update(TENANT, _LANES),
    "last attempts that are lost": delivery_rows.expire(TENANT, [DEAD, ALIVE], NOW),
    "claim": delivery_rows.claim(TENANT, _LANES, 8, NOW, NOW + timedelta(seconds=30)),
    "settled": delivery_rows.settle(TENANT, ENDED, NOW),
    "added": delivery_rows.insert(TENANT, [NewDelivery(DeliveryId(ONE), ALIVE, EVENT)], Origin.EVENT, NOW),
    "begun anew": delivery_rows.begin_anew(TENANT, ALIVE, DeliveryId(ONE), NOW),
    "documents": event_rows.documents(TENANT, [EventId(ONE)]),
    "page of events": event_rows.page(TENANT, ["*"], (NOW - timedelta(hours=9), EventId(ONE)), NOW, 1_000),
    "whereto": (endpoint_rows.WHERETO, (*lane_rows.keys([DEAD, ALIVE]), TENANT)),
    "one endpoint": (endpoint_rows.READ, endpoint_rows.key(TENANT, ALIVE)),
    "page of endpoints": (endpoint_rows.PAGE, (TENANT, *endpoints.BEFORE_ALL, 51)),
    "page of deliveries": (deliveries.PAGE, (2, DEAD, TENANT, *endpoints.BEFORE_ALL, 51)),
    "page of deliveries by status": (deliveries.BY_STATUS, (2, DEAD, TENANT, "FAILED", *endpoints.BEFORE_ALL, 51)),
    "one delivery": (deliveries.ONE, (2, DEAD, TENANT, ONE)),
    "its attempts": (deliveries.ATTEMPTS, (2, DEAD, TENANT, ONE)),
    "old deliveries": (retention.DELIVERIES, (TENANT, 30, 30, 1_000, TENANT)),
    "old attempts": (retention.ATTEMPTS, (TENANT, 30, 1_000, TENANT)),
    "old events": (retention.EVENTS, (TENANT, 30, 1_000, TENANT)),
    "the first that waits": (figures.FIRST, ()),
}


def plan(url: str, name: str, options: str = "", tenant: TenantId | None = None) -> str:
    statement, values = HOT[name]
    arrays = [list(value) if isinstance(value, tuple) else value for value in values]
    return plan_of(url, "force_generic_plan", statement.text, arrays, options, tenant)


def fill(urls: Urls, then: str) -> str:
    with psycopg.connect(urls.owner_url) as owner:
        for table in _TABLES:
            owner.execute(f"ALTER TABLE webhooks.{table} SET (autovacuum_enabled = false)".encode())
        owner.execute(_FILL.encode())
        for table in _TABLES:
            owner.execute(then.format(f"webhooks.{table}").encode())
    return urls.app_url


@pytest.fixture(scope="module")
def filled(make_fresh_database: Callable[[], Urls]) -> str:
    """A database whose tables have grown, and are known to the planner."""
    return fill(make_fresh_database(), "ANALYZE {}")


@pytest.fixture(scope="module")
def never_analysed(make_fresh_database: Callable[[], Urls]) -> str:
    """The same without statistics."""
    return fill(make_fresh_database(), "ALTER TABLE {} SET (autovacuum_enabled = false)")


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize("name", HOT)
def test_a_statement_finds_its_rows_by_index(request: pytest.FixtureRequest, state: str, name: str) -> None:
    found = plan(request.getfixturevalue(state), name)
    assert "Seq Scan" not in found, found
    assert cost_of(found) < MOST_COST, found


@pytest.mark.parametrize("state", ["filled", "never_analysed"])
@pytest.mark.parametrize(
    "name", ["claim", "lanes that sleep", "written lanes", "last attempts that are lost", "tenants with something due"]
)
def test_it_costs_the_same_whatever_waits_for_a_dead_endpoint(
    request: pytest.FixtureRequest, state: str, name: str
) -> None:
    found = plan(request.getfixturevalue(state), name, "ANALYZE, BUFFERS", TENANT)
    assert pages_of(found) < 800, found
