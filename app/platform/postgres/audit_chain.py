"""The audit trail's invariant: one unbroken hash chain.

How a row is hashed is told in `consumers/audit_chain.py`; here it is computed again, by the database. Whoever owns the
database can rewrite the whole chain: against that only a head noted elsewhere helps.
"""

from app.platform.operations.verify import Check
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import QueryCheck

# Each row's own hash is computed first, by all workers, and the chain is walked after that: OFFSET 0 keeps them apart.
_CHAIN = r"""
    SELECT CASE
        WHEN position > before + 2 THEN format('positions %s to %s were removed', before + 1, position - 1)
        WHEN position > before + 1 THEN format('position %s was removed', before + 1)
        WHEN hash IS DISTINCT FROM computed THEN format('position %s (event %s) was changed', position, event_id)
        ELSE format('position %s (event %s) does not follow position %s: one of them was replaced or inserted',
                    position, event_id, before) END
    FROM (
        SELECT position, event_id, hash, previous_hash, computed,
               lag(position, 1, 0::bigint) OVER chain::numeric AS before,
               lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
        FROM (
            SELECT position, event_id, hash, previous_hash,
                   sha256(previous_hash || convert_to(concat_ws(E'\n', position, event_id, subject, sequence,
                       trunc(extract(epoch FROM occurred_at) * 1000000),
                       trunc(extract(epoch FROM received_at) * 1000000),
                       length(type), type || payload::text), 'UTF8')) AS computed
            FROM audit.events
            ORDER BY position
            OFFSET 0
        ) e
        WINDOW chain AS (ORDER BY position)
    ) e
    WHERE position <> before + 1 OR previous_hash IS DISTINCT FROM hash_before OR hash IS DISTINCT FROM computed
    UNION ALL
    SELECT CASE
        WHEN head.position IS NULL THEN 'the head is gone'
        WHEN head.position > newest.position THEN format(
            'positions %s to %s were removed from the end, or the head was changed', newest.position + 1, head.position)
        WHEN head.position < newest.position THEN format(
            'positions %s to %s were added to the end, or the head was changed', head.position + 1, newest.position)
        ELSE format('the head is not that of position %s: it was changed, or that one replaced', head.position) END
    FROM (
        SELECT coalesce(max(position), 0) AS position,
               coalesce((array_agg(hash ORDER BY position DESC))[1], decode(repeat('00', 32), 'hex')) AS hash
        FROM (SELECT position, hash FROM audit.events ORDER BY position DESC LIMIT 1) e
    ) newest
    LEFT JOIN audit.head ON true
    WHERE (head.position, head.hash) IS DISTINCT FROM (newest.position, newest.hash)
"""


def chain_check(trail: Session) -> Check:
    """The check over a snapshot of the trail."""
    return QueryCheck(trail, "audit_chain_is_unbroken", "the audit trail's hash chain is unbroken", _CHAIN, None)
