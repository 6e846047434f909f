"""The statements about requests. Each is for many of them, and locks them in the order of their ids."""

from typing import Final

COLUMNS: Final = """
    m.request_id, m.entry_id, m.user_id, m.for_tenant, m.address, m.amount::text, m.status, m.place, m.traceparent
"""

# Another request for the entry is asked for only after the one before has failed: then that one can be seen here.
NOTE: Final = """
    INSERT INTO mint.mint_requests
        (request_id, entry_id, user_id, for_tenant, place, address, amount, status, traceparent, ask_after, created_at)
    SELECT r.request_id, r.entry_id, r.user_id, r.for_tenant,
           (SELECT count(*) + 1 FROM mint.mint_requests e WHERE e.entry_id = r.entry_id),
           r.address, r.amount::numeric, 'REQUESTED', r.traceparent,
           clock_timestamp() + make_interval(secs => %(for_s)s), clock_timestamp()
    FROM unnest(%(ids)b::uuid[], %(entries)b::uuid[], %(users)b::uuid[], %(tenants)b::uuid[], %(addresses)b::text[],
                %(amounts)b::text[], %(traceparents)b::text[])
        AS r (request_id, entry_id, user_id, for_tenant, address, amount, traceparent)
    ORDER BY r.request_id
    ON CONFLICT (request_id) DO NOTHING
    RETURNING request_id
"""
FIND: Final = f"SELECT {COLUMNS} FROM mint.mint_requests m WHERE m.request_id = ANY(%(ids)b::uuid[])"

# Times go by the database's clock alone. One that is later than any that is given now is over: the clock has gone back.
# SKIP LOCKED: processes side by side take different ones.
DUE: Final = f"""
    UPDATE mint.mint_requests m SET ask_after = clock_timestamp() + make_interval(secs => %(for_s)s)
    FROM (
        SELECT request_id FROM mint.mint_requests
        WHERE ask_after <= clock_timestamp() OR ask_after > clock_timestamp() + make_interval(secs => %(most_s)s)
        ORDER BY ask_after
        LIMIT %(at_most)s
        FOR UPDATE SKIP LOCKED
    ) due
    WHERE m.request_id = due.request_id
    RETURNING {COLUMNS}
"""

# What is final stays so, whoever comes late with an answer. The chain is asked again after a quarter of the time that
# it has taken so far.
CONCLUDE: Final = """
    WITH told AS (
        SELECT * FROM unnest(%(ids)b::uuid[], %(statuses)b::text[], %(hashes)b::text[], %(reasons)b::text[])
            AS o (request_id, status, tx_hash, reason)
    ), locked AS (
        SELECT m.request_id FROM mint.mint_requests m JOIN told USING (request_id)
        WHERE m.status IN ('REQUESTED', 'SUBMITTED')
        ORDER BY m.request_id
        FOR UPDATE OF m
    )
    UPDATE mint.mint_requests m
    SET status = coalesce(told.status, m.status),
        tx_hash = coalesce(told.tx_hash, m.tx_hash),
        reason = told.reason,
        submitted_at = CASE WHEN told.status IS NULL THEN m.submitted_at
            ELSE coalesce(m.submitted_at, clock_timestamp()) END,
        settled_at = CASE WHEN told.status IN ('MINTED', 'FAILED') THEN clock_timestamp() END,
        ask_after = CASE WHEN told.status IN ('MINTED', 'FAILED') THEN NULL
            ELSE clock_timestamp() + make_interval(secs => least(greatest(
                extract(epoch FROM clock_timestamp() - coalesce(m.submitted_at, m.created_at))::float8 / 4,
                %(least_s)s), %(most_s)s)) END
    FROM told JOIN locked USING (request_id)
    WHERE m.request_id = told.request_id
    RETURNING m.request_id, m.settled_at
"""

BACKLOG: Final = """
    SELECT count(*) FILTER (WHERE status = 'REQUESTED'), count(*) FILTER (WHERE status = 'SUBMITTED'),
           coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
    FROM mint.mint_requests WHERE ask_after IS NOT NULL
"""
