"""The invariants of transfers, holds and operations, each as a query for what contradicts it; see `invariants`."""

_TRANSFERS_HAVE_BOTH_LEGS = """
    SELECT format('what is between users sums to %s in %s', sum(amount), currency)
    FROM ledger_entries
    WHERE account = 'transfers'
    GROUP BY currency
    HAVING sum(amount) <> 0
    UNION ALL
    SELECT format('%s %s of user %s has no other leg', t.kind, t.id, t.user_id)
    FROM transactions t
    LEFT JOIN transactions other ON other.id = t.id AND other.user_id = t.counterparty
        AND other.counterparty = t.user_id AND other.amount = t.amount AND other.currency = t.currency
        AND other.kind = CASE t.kind WHEN 'TRANSFER_OUT' THEN 'TRANSFER_IN' ELSE 'TRANSFER_OUT' END
    WHERE t.kind IN ('TRANSFER_OUT', 'TRANSFER_IN') AND other.id IS NULL
    UNION ALL
    SELECT format('transfer %s has %s legs of one kind', id, count(*))
    FROM transactions
    WHERE kind IN ('TRANSFER_OUT', 'TRANSFER_IN')
    GROUP BY id, kind
    HAVING count(*) > 1
"""

# What a capture does not give to beneficiaries is a fee, which is in the FEE that it names with those of its batch.
_CAPTURES = """
    SELECT coalesce(o.id, i.id) AS id, o.user_id, o.currency, o.fee_id, o.amount, i.given,
           o.amount::numeric - coalesce(i.given, 0) AS fee
    FROM (SELECT * FROM transactions WHERE kind = 'CAPTURE_OUT') o
    FULL JOIN (
        SELECT id, counterparty, currency, sum(amount) AS given FROM transactions WHERE kind = 'CAPTURE_IN'
        GROUP BY id, counterparty, currency
    ) i ON i.id = o.id AND i.counterparty = o.user_id AND i.currency = o.currency
"""

_CAPTURES_GO_TO_OTHERS = f"""
    WITH captures AS ({_CAPTURES})
    SELECT format('capture %s of user %s: %s go out, %s come in, and its fee is in %s', id, user_id, amount, given,
                  fee_id)
    FROM captures
    WHERE (fee >= 0 AND (fee > 0) = (fee_id IS NOT NULL)) IS NOT TRUE
    UNION ALL
    SELECT format('fee %s is %s, those of its captures %s', coalesce(f.id, c.fee_id), f.amount, c.fee)
    FROM (SELECT fee_id, currency, sum(fee) AS fee FROM captures WHERE fee_id IS NOT NULL GROUP BY fee_id, currency) c
    FULL JOIN (SELECT id, currency, sum(amount) AS amount FROM transactions WHERE kind = 'FEE' GROUP BY id, currency) f
        ON f.id = c.fee_id AND f.currency = c.currency
    WHERE f.amount IS DISTINCT FROM c.fee
"""

_HOLDS_MATCH_THEIR_TRANSACTIONS = """
    SELECT format('hold %s of user %s is %s with %s, %s captured, %s released: its transactions leave %s, %s went out',
                  coalesce(h.id, t.hold_id), coalesce(h.user_id, t.user_id), h.status, h.amount, h.captured, h.released,
                  t.kept, t.gone)
    FROM holds h
    FULL JOIN (
        SELECT hold_id, user_id, currency, sum(CASE kind WHEN 'HOLD' THEN amount::numeric ELSE -amount END) AS kept,
               coalesce(sum(amount) FILTER (WHERE kind = 'CAPTURE_OUT'), 0) AS gone
        FROM transactions
        WHERE kind IN ('HOLD', 'RELEASE', 'CAPTURE_OUT')
        GROUP BY hold_id, user_id, currency
    ) t ON t.hold_id = h.id AND t.user_id = h.user_id AND t.currency = h.currency
    WHERE (h.captured = t.gone AND h.captured >= 0 AND h.released >= 0 AND CASE h.status
        WHEN 'OPEN' THEN h.amount > 0 AND t.kept = h.amount AND h.captured = 0 AND h.released = 0
            AND h.closed_at IS NULL
        WHEN 'CAPTURED' THEN t.kept = 0 AND h.captured > 0 AND h.captured::numeric + h.released = h.amount
            AND h.closed_at IS NOT NULL
        WHEN 'RELEASED' THEN t.kept = 0 AND h.captured = 0 AND h.released = h.amount AND h.closed_at IS NOT NULL
        ELSE false END) IS NOT TRUE
"""

# An answer is read as it is written: nothing may read JSON that need not be any of ours.
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS = f'\\["{_ID}"(, "{_ID}")*\\]'
_OF_A_BULK = ', "mode": "(all|each)", "asked": [0-9]{1,4}'
_MADE = f"""
    SELECT o.context, o.business_id, o.name, o.user_id, found[1]::uuid AS id
    FROM operations o CROSS JOIN LATERAL regexp_matches(o.answer::text, '"({_ID})"', 'g') found
    WHERE starts_with(o.answer::text, '{{"done": [')
"""

_OPERATIONS_HAPPENED_ONCE = f"""
    WITH made AS ({_MADE})
    SELECT format('operation %s of %s %s is there %s times', name, context, business_id, count(*))
    FROM operations
    GROUP BY context, business_id, name
    HAVING count(*) > 1
    UNION ALL
    SELECT format('operation %s of %s %s has neither been forbidden nor an answer of ours', name, context, business_id)
    FROM operations
    WHERE (CASE WHEN forbidden THEN answer IS NULL AND fingerprint IS NULL
        ELSE fingerprint IS NOT NULL AND user_id IS NOT NULL
            AND answer::text ~ '^(\\{{"done": {_IDS}({_OF_A_BULK})?\\}}|\\{{"refused": "[A-Z_]+".*\\}})$' END)
        IS NOT TRUE
    UNION ALL
    SELECT format('operation %s of %s %s has made %s of user %s, which does not exist', m.name, m.context,
                  m.business_id, m.id, m.user_id)
    FROM made m
    LEFT JOIN transactions t ON t.id = m.id AND t.user_id = m.user_id AND t.business_id = m.business_id
        AND t.kind IN ('TRANSFER_OUT', 'FUNDING')
    LEFT JOIN holds h ON h.id = m.id AND h.user_id = m.user_id
    WHERE t.id IS NULL AND h.id IS NULL
    UNION ALL
    SELECT format('%s %s of user %s for %s was made by %s operations', t.kind, t.id, t.user_id, t.business_id,
                  count(m.id))
    FROM transactions t
    LEFT JOIN made m ON m.id = t.id AND m.user_id = t.user_id AND m.business_id = t.business_id
    WHERE t.kind IN ('TRANSFER_OUT', 'FUNDING') AND t.business_id IS NOT NULL
    GROUP BY t.id, t.user_id
    HAVING count(m.id) <> 1
    UNION ALL
    SELECT format('hold %s of user %s for %s was made by no operation', h.id, h.user_id, h.business_id)
    FROM holds h
    LEFT JOIN made m ON m.id = h.id AND m.user_id = h.user_id AND m.context = h.context
        AND m.business_id = h.business_id
    WHERE m.id IS NULL
"""

_BULKS_ARE_WHOLE = """
    SELECT format('bulk %s of user %s: %s of %s transfers were done (%s)', b.business_id, b.user_id, t.done, b.asked,
                  b.mode)
    FROM (
        SELECT o.business_id, o.user_id, found[1] AS mode, found[2]::bigint AS asked
        FROM operations o
        LEFT JOIN LATERAL regexp_match(o.answer::text, '"mode": "(all|each)", "asked": ([0-9]{1,4})\\}$') found ON true
        WHERE o.context = 'funds' AND o.name = 'bulk'
    ) b
    LEFT JOIN (
        SELECT business_id, user_id, count(*) AS done FROM transactions
        WHERE kind = 'TRANSFER_OUT' AND business_id IS NOT NULL
        GROUP BY business_id, user_id
    ) t ON t.business_id = b.business_id AND t.user_id = b.user_id
    WHERE (CASE b.mode WHEN 'all' THEN t.done = b.asked WHEN 'each' THEN t.done BETWEEN 1 AND b.asked END) IS NOT TRUE
"""

QUERIES = (
    (
        "transfers_have_both_legs",
        "every transfer has both its legs or none, and what is between users sums to zero",
        _TRANSFERS_HAVE_BOTH_LEGS,
    ),
    (
        "captures_go_to_others",
        "what is captured of every hold went to others, fees to the house",
        _CAPTURES_GO_TO_OTHERS,
    ),
    (
        "holds_match_their_transactions",
        "every open hold holds what its transactions set aside, every closed one nothing: captured, released, no more",
        _HOLDS_MATCH_THEIR_TRANSACTIONS,
    ),
    (
        "operations_happened_once",
        "every operation happened at most once, a forbidden one never, and nothing was done for others without one",
        _OPERATIONS_HAPPENED_ONCE,
    ),
    (
        "bulks_are_whole",
        "of every bulk that is done whole or not at all each transfer was done",
        _BULKS_ARE_WHOLE,
    ),
)
"""Name, claim and query."""
