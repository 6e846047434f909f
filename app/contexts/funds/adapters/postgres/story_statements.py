"""The statements behind the stories of transfers and holds."""

from typing import Final

from app.contexts.funds.adapters.postgres.hold_rows import COLUMNS
from app.platform.postgres.buckets import BUCKETS

MOST_PARTS: Final = 500
MOST_OPERATIONS: Final = 50
WALKED: Final = 10_000
"""Movements of a wallet that are looked through for a hold's: they are found by their time."""

TRANSFER: Final = """
    SELECT user_id, kind, amount, currency, counterparty, note, reference, business_id, created_at
    FROM transactions
    WHERE id = %(id)s AND kind IN ('TRANSFER_OUT', 'TRANSFER_IN', 'FUNDING')
    ORDER BY kind DESC
    LIMIT 1
"""
LEGS: Final = """
    SELECT t.user_id, t.kind, e.account, e.amount, e.balance_after, e.created_at
    FROM transactions t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    WHERE t.id = %(id)s
    ORDER BY t.kind DESC, e.account DESC
"""
# It is written in the transfer's transaction, and found by its time: whose key it was is not known.
KEY: Final = """
    SELECT user_id, key, finalized_at, response_status FROM v1_idempotency_keys
    WHERE finalized_at BETWEEN %(at)s AND %(at)s + interval '10 s' AND made_id = %(id)s
    ORDER BY finalized_at
    LIMIT 1
"""
EVENTS: Final = """
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
    FROM funds.outbox_events
    WHERE subject = %(id)s
    ORDER BY sequence
"""

HOLD: Final = f"""
    SELECT {COLUMNS}, clock_timestamp() FROM holds h WHERE h.id = %(id)s
"""
_WALK: Final = f"""
    SELECT id, user_id, kind, hold_id FROM transactions
    WHERE user_id = %(user_id)s
        AND created_at BETWEEN %(from)s - interval '10 s' AND %(until)s + interval '10 s'
    ORDER BY created_at, id
    LIMIT {WALKED}
"""
MOVEMENTS: Final = f"""
    SELECT w.user_id, w.kind, e.account, e.amount, e.balance_after, e.created_at
    FROM ({_WALK}) w
    JOIN ledger_entries e ON e.user_id = w.user_id AND e.transaction_id = w.id
    WHERE w.hold_id = %(id)s
    ORDER BY e.created_at, w.id, e.account DESC
"""
COUNT_WALKED: Final = f"SELECT count(*) FROM ({_WALK}) w"
CAPTURED: Final = f"""
    SELECT t.user_id, t.kind, e.account, e.amount, e.balance_after, e.created_at, t.amount
    FROM transactions t
    JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id AND e.account = 'wallet'
    WHERE t.id = %(id)s AND t.kind = 'CAPTURE_IN'
    ORDER BY t.user_id
    LIMIT {MOST_PARTS}
"""
FEE: Final = """
    SELECT t.amount - coalesce(parts.amount, 0)::bigint
    FROM transactions t
    CROSS JOIN LATERAL (SELECT sum(amount) AS amount FROM transactions WHERE id = t.id AND kind = 'CAPTURE_IN') parts
    WHERE t.id = %(id)s AND t.user_id = %(user_id)s AND t.kind = 'CAPTURE_OUT' AND t.fee_id IS NOT NULL
"""
OPERATIONS: Final = f"""
    SELECT name, created_at, CASE WHEN NOT forbidden THEN coalesce(answer::text, '') END
    FROM operations
    WHERE bucket = get_byte(uuid_send(%(business_id)s::uuid), 15) & {BUCKETS - 1}
        AND business_id = %(business_id)s AND context = %(context)s
    ORDER BY created_at, name
    LIMIT {MOST_OPERATIONS}
"""

# A user by index, else whatever else has the id.
PLACE: Final = """
    SELECT path FROM (
        (SELECT 1 AS place, '/wallets/' || user_id AS path FROM wallet_balances WHERE user_id = %(id)s LIMIT 1)
        UNION ALL
        SELECT 2, '/holds/' || id FROM holds WHERE id = %(id)s
        UNION ALL
        (SELECT 3, CASE WHEN payment_id IS NULL THEN '/transfers/' || id ELSE '/payments/' || payment_id END
         FROM transactions
         WHERE id = %(id)s
             AND kind IN ('TRANSFER_OUT', 'TRANSFER_IN', 'FUNDING', 'PAYMENT', 'REFUND', 'MERCHANT_REFUND') LIMIT 1)
    ) known
    ORDER BY place
    LIMIT 1
"""
