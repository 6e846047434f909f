"""Webhooks, and deliveries that wait for them, put straight into the tables."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from app.contexts.webhooks.adapters.sealing.seal import AesSeal
from app.contexts.webhooks.domain.ids import EndpointId
from app.main.local.roles import Urls

OF_A_TENANT: Final = 20
"""Webhooks that one may have."""

_AS: Final = "SELECT set_config('app.current_tenant', %s, true)"
_ENDPOINT: Final = """
    INSERT INTO webhooks.endpoints (bucket, tenant_id, id, url, types, status, version, secret, created_at, updated_at)
    VALUES (%(bucket)s, %(tenant)s, %(id)s, %(url)s, ARRAY['a.*'], 'ACTIVE', 1, %(secret)s, now(), now())
"""
_VERSION: Final = """
    INSERT INTO webhooks.endpoint_versions (bucket, tenant_id, endpoint_id, version, types, status, starts_at)
    VALUES (%(bucket)s, %(tenant)s, %(id)s, 1, ARRAY['a.*'], 'ACTIVE', now() - interval '1 h')
"""
_LANE: Final = """
    INSERT INTO webhooks.lanes (bucket, endpoint_id, tenant, is_active) VALUES (%(bucket)s, %(id)s, %(tenant)s, true)
"""
# Each of a subject of its own, as most are. The events happened before the webhook was made: it is as if replayed.
_DELIVERIES: Final = """
    WITH made AS MATERIALIZED (
        SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS subject FROM generate_series(1, %(count)s) n
    ), kept AS (
        INSERT INTO webhooks.events (bucket, tenant_id, event_id, type, subject, sequence, occurred_at, document)
        SELECT get_byte(uuid_send(id), 15) & 15, %(tenant)s, id, 'a.b', subject, 1, now() - interval '2 h', %(document)s
        FROM made
    )
    INSERT INTO webhooks.deliveries (bucket, tenant_id, endpoint_id, event_id, id, origin, type, subject, sequence,
        occurred_at, status, next_attempt_at, created_at)
    SELECT e.bucket, %(tenant)s, e.id, m.id, gen_random_uuid(), 'replay', 'a.b', m.subject, 1, now() - interval '2 h',
        'PENDING', now(), clock_timestamp()
    FROM made m CROSS JOIN webhooks.endpoints e
    WHERE e.id = ANY (%(endpoints)s)
"""
_WAKE: Final = "UPDATE webhooks.lanes SET wake_at = now() WHERE endpoint_id = ANY (%s)"


def body() -> bytes:
    """An event's document, as long as most are."""
    told: dict[str, Any] = {
        "specversion": "1.0", "id": uuid4(), "source": "/strongbox", "type": "payment.completed", "subject": uuid4(),
        "time": datetime.now(UTC).isoformat(), "datacontenttype": "application/json",
        "dataschema": "urn:strongbox:schema:payment:1", "sequence": 2,
        "data": {
            "payment_id": uuid4(), "transaction_id": uuid4(), "user_id": uuid4(), "provider_id": uuid4(),
            "external_reference": "bill 7", "amount": 1250, "currency": "USD", "status": "APPROVED",
            "failure_code": None, "created_at": datetime.now(UTC).isoformat(),
            "finalized_at": datetime.now(UTC).isoformat(),
        },
    }  # fmt: skip
    return json.dumps(told, default=str).encode()


def add_webhooks(database: Urls, key: str, urls: Sequence[str]) -> list[list[UUID]]:
    """Webhooks at these URLs, tenant by tenant; their ids, those of a tenant together."""
    seal, found = AesSeal(key), list[list[UUID]]()
    with psycopg.connect(database.owner_url) as owner:
        for nth, url in enumerate(urls):
            if nth % OF_A_TENANT == 0:
                tenant = uuid4()
                owner.execute(_AS, (str(tenant),))
                owner.execute("INSERT INTO webhooks.houses (tenant) VALUES (%s)", (tenant,))
                found.append([])
            one = uuid4()
            sealed = seal.close(b"s" * 32, EndpointId(one))
            row = {"bucket": one.int % 16, "tenant": tenant, "id": one, "url": url, "secret": sealed}
            for statement in (_ENDPOINT, _VERSION, _LANE):
                owner.execute(statement, row)
            found[-1].append(one)
    return found


def add_deliveries(database: Urls, webhooks: Sequence[UUID], each: int) -> None:
    """So many to each of a tenant's webhooks, all due; nobody looks at them yet."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("SET LOCAL statement_timeout = 0")
        ((tenant,),) = owner.execute(
            "SELECT DISTINCT tenant FROM webhooks.lanes WHERE endpoint_id = ANY (%s)", (list(webhooks),)
        ).fetchall()
        owner.execute(_AS, (str(tenant),))
        values = {"count": each, "tenant": tenant, "document": body(), "endpoints": list(webhooks)}
        owner.execute(_DELIVERIES, values)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE webhooks.deliveries, webhooks.events, webhooks.lanes, webhooks.attempts")


def wake(database: Urls, webhooks: Sequence[UUID]) -> datetime:
    """Have senders look at them; the time."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(_WAKE, (list(webhooks),))
        ((now,),) = owner.execute("SELECT clock_timestamp()").fetchall()
        assert isinstance(now, datetime)
        return now
