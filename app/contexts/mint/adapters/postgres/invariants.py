"""The invariants of requests that minting can see alone, each as a query for what contradicts it.

They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.platform.postgres.walls import Claim

_ONE_AN_ENTRY: Final = """
    SELECT format('entry %s: %s of its %s requests have not failed, their places are %s', entry_id,
                  count(*) FILTER (WHERE status <> 'FAILED'), count(*), string_agg(place::text, ', ' ORDER BY place))
    FROM (SELECT *, max(place) OVER (PARTITION BY entry_id) AS newest FROM mint.mint_requests) r
    GROUP BY entry_id
    HAVING max(place) <> count(*) OR min(place) <> 1 OR count(DISTINCT place) <> count(*)
        OR bool_or(status <> 'FAILED' AND place < newest)
"""

_WELL_FORMED: Final = """
    SELECT format('request %s is %s, with the transaction %s, the reason %s, settled at %s, to be asked about after %s',
                  request_id, status, coalesce(tx_hash, '-'), coalesce(reason, '-'), coalesce(settled_at::text, '-'),
                  coalesce(ask_after::text, '-'))
    FROM mint.mint_requests
    WHERE CASE status
        WHEN 'REQUESTED' THEN reason IS NULL AND settled_at IS NULL AND ask_after IS NOT NULL
        WHEN 'SUBMITTED' THEN reason IS NULL AND settled_at IS NULL AND ask_after IS NOT NULL
        WHEN 'MINTED' THEN tx_hash IS NOT NULL AND reason IS NULL AND settled_at IS NOT NULL AND ask_after IS NULL
        WHEN 'FAILED' THEN reason IS NOT NULL AND settled_at IS NOT NULL AND ask_after IS NULL
        ELSE false END IS NOT TRUE
"""

# What was sent is kept in the outbox for a while, and nothing is sent before it happened.
_TOLD: Final = """
    SELECT format('request %s of entry %s is %s since %s, and its event is %s', r.request_id, r.entry_id, r.status,
                  r.settled_at, coalesce(string_agg(e.type, ', '), 'not there'))
    FROM mint.mint_requests r
    LEFT JOIN mint.outbox_events e ON e.subject = r.entry_id AND e.sequence = r.place AND e.user_id = r.user_id
    WHERE r.settled_at > clock_timestamp() - make_interval(secs => {kept_h} * 3600)
    GROUP BY r.request_id
    HAVING count(e.id) <> 1
        OR bool_or(e.type <> CASE r.status WHEN 'MINTED' THEN 'mint.completed' ELSE 'mint.failed' END)
        OR bool_or(e.payload #>> '{data,request_id}' <> r.request_id::text)
    UNION ALL
    SELECT format('event %s tells the end of a request of entry %s, which is not at its end', e.event_id, e.subject)
    FROM mint.outbox_events e
    LEFT JOIN mint.mint_requests r ON r.entry_id = e.subject AND r.place = e.sequence AND r.settled_at IS NOT NULL
    WHERE r.request_id IS NULL
"""


QUERIES: Final[Sequence[Claim]] = (
    (
        "one_mint_an_entry",
        "of the requests for an entry all but the last have failed",
        _ONE_AN_ENTRY,
    ),
    (
        "mint_requests_are_whole",
        "every request is open and asked about, minted by a transaction, or failed for a reason",
        _WELL_FORMED,
    ),
    (
        "mints_are_told",
        "every request that came to its end was told once, as what it is, and no other was",
        _TOLD,
    ),
)
"""Name, claim and query: events are kept for `{kept_h}` hours after they were sent."""


def queries(kept_h: float) -> Sequence[Claim]:
    """The same, for so many hours."""
    return [(name, claim, query.replace("{kept_h}", f"{kept_h:g}")) for name, claim, query in QUERIES]
