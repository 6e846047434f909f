"""The invariants of webhooks that their database can show, each as a query for what contradicts it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.contexts.webhooks.domain.delivery import MOST_ATTEMPTS
from app.contexts.webhooks.domain.endpoint import KEPT_FROM_ALL
from app.platform.postgres.walls import Claim

# A change that was under way while an event was heard may count or not: two clocks are read, and two transactions.
_JUST_THEN: Final = "interval '30 seconds'"

# What stood at an event's time, where nothing changed just then.
_ASKED_FOR: Final = """
    EXISTS (
        SELECT FROM webhooks.endpoint_versions v
        WHERE v.bucket = {endpoint}.bucket AND v.endpoint_id = {endpoint}.{id} AND v.starts_at <= {event}.occurred_at
            AND NOT EXISTS (
                SELECT FROM webhooks.endpoint_versions w
                WHERE w.bucket = v.bucket AND w.endpoint_id = v.endpoint_id AND w.version > v.version
                    AND w.starts_at <= {event}.occurred_at
            )
            AND v.status = 'ACTIVE'
            AND v.types && ARRAY['*', {event}.type, split_part({event}.type, '.', 1) || '.*']
    )
"""
_QUIET: Final = f"""
    NOT EXISTS (
        SELECT FROM webhooks.endpoint_versions n
        WHERE n.bucket = {{endpoint}}.bucket AND n.endpoint_id = {{endpoint}}.{{id}}
            AND n.starts_at BETWEEN {{event}}.occurred_at - {_JUST_THEN} AND {{event}}.occurred_at + {_JUST_THEN}
    )
"""

_ASKED: Final = f"""
    SELECT format('delivery %s of event %s (%s): webhook %s did not ask for it then', d.id, d.event_id, d.type,
                  d.endpoint_id)
    FROM webhooks.deliveries d
    JOIN webhooks.endpoints e ON e.bucket = d.bucket AND e.id = d.endpoint_id
    WHERE d.origin = 'event' AND NOT {_ASKED_FOR.format(endpoint="d", id="endpoint_id", event="d")}
        AND {_QUIET.format(endpoint="d", id="endpoint_id", event="d")}
    UNION ALL
    SELECT format('event %s (%s): webhook %s asked for it, and there is no delivery', h.event_id, h.type, e.id)
    FROM webhooks.events h CROSS JOIN webhooks.endpoints e
    WHERE h.only_for IS NULL AND h.occurred_at >= e.created_at
        AND h.occurred_at > (SELECT now() - make_interval(days => {{keep_d}}))
        AND {_ASKED_FOR.format(endpoint="e", id="id", event="h")}
        AND {_QUIET.format(endpoint="e", id="id", event="h")}
        AND NOT EXISTS (
            SELECT FROM webhooks.deliveries d
            WHERE d.bucket = e.bucket AND d.endpoint_id = e.id AND d.event_id = h.event_id
        )
"""

_ENDS: Final = f"""
    SELECT format('delivery %s of webhook %s is %s after %s attempts, of which %s were told', d.id, d.endpoint_id,
                  d.status, d.attempts, a.number)
    FROM webhooks.deliveries d CROSS JOIN LATERAL (
        SELECT count(*) AS number, count(*) FILTER (WHERE status BETWEEN 200 AND 299) AS good FROM webhooks.attempts a
        WHERE a.bucket = d.bucket AND a.endpoint_id = d.endpoint_id AND a.delivery_id = d.id AND a.round = d.round
    ) a
    WHERE d.created_at > (SELECT now() - make_interval(days => {{keep_d}})) AND (
        d.status = 'DELIVERED' AND (d.delivered_at IS NULL OR a.good = 0)
        OR d.status = 'FAILED' AND (d.attempts < {MOST_ATTEMPTS} OR a.good > 0)
        OR d.status = 'PENDING' AND a.good > 0
        OR a.number > d.attempts
    )
    UNION ALL
    SELECT format('delivery %s of webhook %s is about what nobody may hear: %s', d.id, d.endpoint_id, d.type)
    FROM webhooks.deliveries d WHERE split_part(d.type, '.', 1) = '{KEPT_FROM_ALL}'
"""

_NOBODY_SLEEPS: Final = """
    SELECT format('webhook %s: delivery %s waits from %s on, its lane until %s', e.id, first.id, first.next_attempt_at,
                  coalesce(l.wake_at::text, 'for ever'))
    FROM webhooks.endpoints e
    JOIN webhooks.lanes l ON l.bucket = e.bucket AND l.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at FROM webhooks.deliveries d
        WHERE d.bucket = e.bucket AND d.endpoint_id = e.id AND d.status = 'PENDING' AND NOT d.leased
        ORDER BY d.next_attempt_at LIMIT 1
    ) first
    WHERE l.is_active AND NOT EXISTS (
            SELECT FROM webhooks.deliveries d WHERE d.bucket = e.bucket AND d.endpoint_id = e.id AND d.leased
        )
        AND (l.wake_at IS NULL OR l.wake_at > greatest(first.next_attempt_at, l.open_until))
    UNION ALL
    SELECT format('webhook %s is %s, its lane %s', e.id, e.status, coalesce(l.is_active::text, 'is not there'))
    FROM webhooks.endpoints e LEFT JOIN webhooks.lanes l ON l.bucket = e.bucket AND l.endpoint_id = e.id
    WHERE l.is_active IS DISTINCT FROM (e.status = 'ACTIVE') OR l.tenant IS DISTINCT FROM e.tenant_id
    UNION ALL
    SELECT format('webhook %s is as its version %s is not', e.id, e.version)
    FROM webhooks.endpoints e LEFT JOIN webhooks.endpoint_versions v
        ON v.bucket = e.bucket AND v.endpoint_id = e.id AND v.version = e.version
    WHERE (v.types, v.status) IS DISTINCT FROM (e.types, e.status)
"""


OF_TENANTS: Final[Sequence[Claim]] = (
    (
        "webhooks_get_what_they_ask_for",
        "each event has a delivery to every webhook that asked for it at its time, and to no other but by replay",
        _ASKED,
    ),
    (
        "deliveries_end_by_attempts",
        "what is delivered was answered with success, and what has failed was attempted as often as it may be",
        _ENDS,
    ),
    (
        "webhooks_are_woken",
        "whatever waits to be sent to an active webhook is looked at in time, and a webhook is as its newest version "
        "says",
        _NOBODY_SLEEPS,
    ),
)
"""Name, claim and query, in which `{keep_d}` stands for how many days deliveries are kept."""


def of_tenants(keep_d: int) -> Sequence[Claim]:
    """The same for so many days: what is older is not looked for, as it may be forgotten."""
    return [(name, claim, query.replace("{keep_d}", str(keep_d))) for name, claim, query in OF_TENANTS]
