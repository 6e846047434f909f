"""Rows of deliveries, as they are written: added, claimed, settled, begun anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.contexts.webhooks.adapters.postgres.lane_rows import keys
from app.contexts.webhooks.application.hear import NewDelivery
from app.contexts.webhooks.application.sending import Claim, Ended
from app.contexts.webhooks.domain.delivery import MOST_ATTEMPTS, Origin, Settled
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.lane import Lane
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import ONE_BY_ONE, bucket_of
from app.platform.postgres.pipeline import Call, Statement, columns

AHEAD: Final = 64
"""Deliveries that are due and looked at for one claim of an endpoint's. Of a subject one is sent at a time."""

_OF_THE_ENDPOINT: Final = "d.bucket = k.bucket AND d.endpoint_id = k.endpoint_id AND d.tenant_id = %b::uuid"

# Only where there is a lane: an endpoint that is gone by now gets nothing.
INSERT: Final = Statement("""
    INSERT INTO webhooks.deliveries (bucket, tenant_id, endpoint_id, event_id, id, origin, type, subject, sequence,
        occurred_at, status, next_attempt_at, created_at)
    SELECT r.bucket, %b::uuid, r.endpoint_id, r.event_id, r.id, r.origin, r.type, r.subject, r.sequence, r.occurred_at,
        'PENDING', r.at, r.at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::smallint[],
                %b::timestamptz[], %b::timestamptz[])
        AS r (bucket, endpoint_id, event_id, id, origin, type, subject, sequence, occurred_at, at)
    WHERE EXISTS (SELECT FROM webhooks.lanes l WHERE l.bucket = r.bucket AND l.endpoint_id = r.endpoint_id)
    ORDER BY r.bucket, r.endpoint_id, r.event_id
    ON CONFLICT (bucket, endpoint_id, event_id) DO NOTHING
""")
# Whose last attempt's sender never told how it ended. The few in somebody's hands have an index of their own.
EXPIRE: Final = Statement(f"""
    UPDATE webhooks.deliveries d
    SET status = 'FAILED', leased = false, next_attempt_at = NULL, last_status = NULL, last_error = 'lost'
    FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, endpoint_id)
    WHERE {_OF_THE_ENDPOINT} AND d.leased AND d.status = 'PENDING' AND d.next_attempt_at <= %b::timestamptz
        AND d.attempts >= {MOST_ATTEMPTS}
""")
# Of each endpoint the first that are due, one a subject at the most and none of those of which one is in somebody's
# hands. All of it by index, whatever else waits. The lanes are held, so that nobody else counts meanwhile.
CLAIM: Final = Statement(f"""
    WITH due AS MATERIALIZED (
        SELECT k.bucket, k.endpoint_id, first.event_id
        FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[], %b::bigint[]) AS k (bucket, endpoint_id, most, share)
        CROSS JOIN LATERAL (
            SELECT count(*) AS number, coalesce(array_agg(d.subject), '{{}}') AS subjects FROM webhooks.deliveries d
            WHERE {_OF_THE_ENDPOINT} AND d.leased AND d.next_attempt_at > %b::timestamptz
        ) in_hand
        CROSS JOIN LATERAL (
            SELECT of_a_subject.event_id FROM (
                SELECT DISTINCT ON (waiting.subject) waiting.* FROM (
                    SELECT d.event_id, d.subject, d.next_attempt_at, d.occurred_at, d.sequence
                    FROM webhooks.deliveries d
                    WHERE {_OF_THE_ENDPOINT} AND d.status = 'PENDING' AND d.next_attempt_at <= %b::timestamptz
                    ORDER BY d.next_attempt_at, d.occurred_at, d.sequence LIMIT {AHEAD}
                ) waiting
                ORDER BY waiting.subject, waiting.next_attempt_at, waiting.occurred_at, waiting.sequence
            ) of_a_subject
            WHERE of_a_subject.subject <> ALL (in_hand.subjects)
            ORDER BY of_a_subject.next_attempt_at, of_a_subject.occurred_at, of_a_subject.sequence
            LIMIT greatest(least(k.most - in_hand.number, k.share), 0)
        ) first
    )
    UPDATE webhooks.deliveries d
    SET attempts = d.attempts + 1, leased = true, next_attempt_at = %b::timestamptz
    FROM due r
    WHERE d.bucket = r.bucket AND d.endpoint_id = r.endpoint_id AND d.event_id = r.event_id AND d.tenant_id = %b::uuid
        AND {ONE_BY_ONE}
    RETURNING d.endpoint_id, d.id, d.event_id, d.round, d.attempts
""")
# A success counts however late it is told; anything else only while the attempt is the newest of its round.
SETTLE: Final = Statement(f"""
    UPDATE webhooks.deliveries d
    SET status = r.status, leased = false, next_attempt_at = r.next_attempt_at, last_status = r.last_status,
        last_error = r.last_error, delivered_at = CASE WHEN r.status = 'DELIVERED' THEN r.at END
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[], %b::smallint[], %b::text[], %b::timestamptz[],
                %b::smallint[], %b::text[], %b::timestamptz[])
        AS r (bucket, endpoint_id, event_id, round, attempt, status, next_attempt_at, last_status, last_error, at)
    WHERE d.bucket = r.bucket AND d.endpoint_id = r.endpoint_id AND d.event_id = r.event_id AND d.tenant_id = %b::uuid
        AND {ONE_BY_ONE} AND d.round = r.round
        AND CASE WHEN r.status = 'DELIVERED' THEN d.status <> 'DELIVERED'
                 ELSE d.status = 'PENDING' AND d.leased AND d.attempts = r.attempt END
""")
TELL: Final = Statement("""
    INSERT INTO webhooks.attempts (bucket, tenant_id, endpoint_id, delivery_id, round, attempt, started_at, took_ms,
        status, error)
    SELECT r.bucket, %b::uuid, r.endpoint_id, r.delivery_id, r.round, r.attempt, r.started_at, r.took_ms, r.status,
        r.error
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::bigint[], %b::smallint[], %b::timestamptz[], %b::bigint[],
                %b::smallint[], %b::text[])
        AS r (bucket, endpoint_id, delivery_id, round, attempt, started_at, took_ms, status, error)
    ORDER BY r.bucket, r.endpoint_id, r.delivery_id, r.round, r.attempt
    ON CONFLICT (bucket, endpoint_id, delivery_id, round, attempt) DO NOTHING
""")
# What is in somebody's hands is sent again when that ends.
_ANEW: Final = """
    status = 'PENDING', round = d.round + 1, attempts = 0, last_status = NULL, last_error = NULL, delivered_at = NULL,
    next_attempt_at = CASE WHEN d.leased AND d.next_attempt_at > {at} THEN d.next_attempt_at ELSE {at} END
"""
BEGIN_ANEW: Final = Statement(f"""
    UPDATE webhooks.deliveries d SET {_ANEW.format(at="%b::timestamptz")}
    WHERE d.bucket = %b::smallint AND d.endpoint_id = %b::uuid AND d.id = %b::uuid AND d.tenant_id = %b::uuid
    RETURNING d.id
""")
REPLAY: Final = Statement(f"""
    INSERT INTO webhooks.deliveries AS d (bucket, tenant_id, endpoint_id, event_id, id, origin, type, subject, sequence,
        occurred_at, status, next_attempt_at, created_at)
    SELECT r.bucket, %b::uuid, r.endpoint_id, r.event_id, r.id, r.origin, r.type, r.subject, r.sequence, r.occurred_at,
        'PENDING', r.at, r.at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::smallint[],
                %b::timestamptz[], %b::timestamptz[])
        AS r (bucket, endpoint_id, event_id, id, origin, type, subject, sequence, occurred_at, at)
    ORDER BY r.bucket, r.endpoint_id, r.event_id
    ON CONFLICT (bucket, endpoint_id, event_id) DO UPDATE SET {_ANEW.format(at="excluded.next_attempt_at")}
""")


def insert(tenant_id: TenantId, deliveries: Sequence[NewDelivery], origin: Origin, at: datetime) -> Call:
    """The statement that adds deliveries, to be sent at once."""
    return INSERT, (tenant_id, *_new(deliveries, origin, at))


def replay(tenant_id: TenantId, deliveries: Sequence[NewDelivery], at: datetime) -> Call:
    """The statement that begins deliveries anew, and adds those that there are not."""
    return REPLAY, (tenant_id, *_new(deliveries, Origin.REPLAY, at))


def _new(deliveries: Sequence[NewDelivery], origin: Origin, at: datetime) -> list[tuple[object, ...]]:
    return columns([
        (
            bucket_of(d.endpoint_id), d.endpoint_id, d.event.id, d.id, origin.value, d.event.type, d.event.subject,
            d.event.sequence, d.event.at, at,
        )
        for d in deliveries
    ])  # fmt: skip


def begin_anew(tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId, at: datetime) -> Call:
    """The statement that begins a delivery anew; a row where there is one."""
    return BEGIN_ANEW, (at, at, bucket_of(endpoint_id), endpoint_id, delivery_id, tenant_id)


def expire(tenant_id: TenantId, endpoints: Sequence[EndpointId], now: datetime) -> Call:
    """The statement that gives up deliveries whose last attempt nobody tells of."""
    return EXPIRE, (*keys(endpoints), tenant_id, now)


def claim(tenant_id: TenantId, lanes: Sequence[Lane], share: int, now: datetime, until: datetime) -> Call:
    """The statement that leases what is due: of each lane's as many as it has room for, but no more than the share."""
    most, shares = [lane.room for lane in lanes], [share] * len(lanes)
    ids = [lane.endpoint_id for lane in lanes]
    return CLAIM, (*keys(ids), most, shares, tenant_id, now, tenant_id, now, until, tenant_id)


def settle(tenant_id: TenantId, ended: Sequence[tuple[Ended, Settled]], now: datetime) -> Call:
    """The statement that writes how attempts leave their deliveries: of two of one round the success counts."""
    rows = {
        (one.claim.delivery_id, one.claim.round): (
            *_key(one.claim), one.claim.event_id, one.claim.round, one.claim.attempt, settled.status.value,
            settled.next_attempt_at, one.result.status, one.result.error and one.result.error.value, now,
        )
        for one, settled in sorted(ended, key=lambda each: (each[0].result.is_success, each[0].claim.attempt))
    }  # fmt: skip
    return SETTLE, (*columns(list(rows.values())), tenant_id)


def tell(tenant_id: TenantId, ended: Sequence[tuple[Ended, Settled]]) -> Call:
    """The statement that writes how attempts ended."""
    rows = [
        (
            *_key(one.claim), one.claim.delivery_id, one.claim.round, one.claim.attempt, one.started_at,
            round(one.result.took_s * 1_000), one.result.status, one.result.error and one.result.error.value,
        )
        for one, _ in ended
    ]  # fmt: skip
    return TELL, (tenant_id, *columns(rows))


def _key(claim: Claim) -> tuple[int, EndpointId]:
    return bucket_of(claim.endpoint_id), claim.endpoint_id
