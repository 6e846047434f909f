"""The invariants of refunds, of what is asked for on `/v1`, and of their events: see `invariants`."""

_REFUNDS_FIT_THEIR_PAYMENTS = """
    SELECT format('payment %s of user %s is %s with %s %s, and %s %s of it is given back or promised', p.id, p.user_id,
                  p.status, p.amount, p.currency, f.amount, f.currency)
    FROM (
        SELECT payment_id, user_id, currency, coalesce(sum(amount) FILTER (WHERE status <> 'REFUSED'), 0) AS amount
        FROM payments.refunds GROUP BY payment_id, user_id, currency
    ) f
    JOIN payments p ON p.id = f.payment_id AND p.user_id = f.user_id
    WHERE p.status <> 'APPROVED' OR f.amount > p.amount OR f.currency <> p.currency
    UNION ALL
    SELECT format('refund %s of user %s %s', id, user_id, wrong)
    FROM (
        SELECT f.id, f.user_id, CASE
            WHEN p.id IS NULL THEN format('is of payment %s, which does not exist', f.payment_id)
            WHEN f.status NOT IN ('PENDING', 'COMPLETED', 'REFUSED') THEN format('is %s: no status', f.status)
            WHEN (f.status = 'PENDING') <> (f.finalized_at IS NULL)
                THEN format('is %s, final at %s', f.status, f.finalized_at)
            WHEN f.finalized_at < f.created_at OR NOT isfinite(f.finalized_at)
                THEN format('was promised at %s, final at %s', f.created_at, f.finalized_at)
            WHEN f.created_at < p.finalized_at THEN 'was promised before its payment was final' END AS wrong
        FROM payments.refunds f
        LEFT JOIN payments p ON p.id = f.payment_id AND p.user_id = f.user_id
    ) f
    WHERE wrong IS NOT NULL
"""

# A refund's credit has its id.
_REFUNDS_MATCH_THEIR_TRANSACTIONS = """
    SELECT format('refund %s of user %s is %s, and there are %s credits of it, %s that fit',
                  coalesce(f.id, t.id), coalesce(f.user_id, t.user_id), f.status, count(t.id),
                  count(t.id) FILTER (WHERE t.payment_id = f.payment_id AND t.amount = f.amount
                                          AND t.currency = f.currency AND t.status = 'COMPLETED'))
    FROM payments.refunds f
    FULL JOIN (SELECT * FROM transactions WHERE kind = 'MERCHANT_REFUND') t ON t.id = f.id AND t.user_id = f.user_id
    GROUP BY f.id, f.user_id, f.status, t.id, t.user_id
    HAVING count(t.id) IS DISTINCT FROM CASE f.status WHEN 'COMPLETED' THEN 1 ELSE 0 END
        OR count(t.id) <> count(t.id) FILTER (WHERE t.payment_id = f.payment_id AND t.amount = f.amount
                                                  AND t.currency = f.currency AND t.status = 'COMPLETED')
"""

_KEYS_MATCH_THEIR_REFUNDS = """
    SELECT format('refund %s of user %s is %s, its key %s', f.id, f.user_id, f.status,
                  CASE WHEN k.key IS NULL THEN 'is gone' WHEN k.finalized_at IS NULL THEN 'has no answer'
                       ELSE 'has an answer' END)
    FROM payments.refunds f
    LEFT JOIN v1_idempotency_keys k ON k.user_id = f.asked_by AND k.key = f.idempotency_key AND k.made_id = f.id
    WHERE CASE WHEN f.status = 'PENDING' THEN k.key IS NULL OR k.finalized_at IS NOT NULL
               ELSE k.key IS NOT NULL AND k.finalized_at IS NULL END
    UNION ALL
    SELECT format('the answer stored for refund %s of user %s is not one of a refund that is %s', f.id, f.user_id,
                  f.status)
    FROM v1_idempotency_keys k
    JOIN payments.refunds f ON f.id = k.made_id
    WHERE k.finalized_at IS NOT NULL AND (
        k.response_status IS DISTINCT FROM 201 OR k.response_body IS DISTINCT FROM convert_to(concat(
            '{"refund_id":"', f.id, '","payment_id":"', f.payment_id, '","user_id":"', f.user_id, '","amount":',
            f.amount, ',"currency":"', f.currency, '","status":"', f.status, '","reason":',
            coalesce(to_json(f.reason)::text, 'null'), ',"failure_code":',
            coalesce(to_json(f.failure_code)::text, 'null'), ',"created_at":"',
            to_char(f.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '","finalized_at":"',
            to_char(f.finalized_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '"}'), 'UTF8')
    )
    UNION ALL
    SELECT format('the answer stored for payment %s of user %s is not one of a payment that is %s', p.id, p.user_id,
                  p.status)
    FROM v1_idempotency_keys k
    JOIN payments p ON p.id = k.made_id
    WHERE k.finalized_at IS NOT NULL AND CASE
        WHEN p.asked_by IS DISTINCT FROM k.user_id OR p.idempotency_key IS DISTINCT FROM k.key THEN true
        WHEN p.status = 'FAILED' THEN
            k.response_status IS DISTINCT FROM CASE p.failure_code WHEN 'GATEWAY_ERROR' THEN 502 ELSE 504 END
        ELSE k.response_status IS DISTINCT FROM 201 OR NOT starts_with(encode(k.response_body, 'escape'), concat(
            '{"payment_id":"', p.id, '","transaction_id":"', p.transaction_id, '","user_id":"', p.user_id, '"'))
        END
"""

# As those of payments: an event is a number, by its type at its place in the sequence.
_REFUNDS_MATCH_THEIR_EVENTS = """
    SELECT format('refund %%s of user %%s is %%s, its events in the outbox are %%s', id, user_id, status,
                  (SELECT array_agg(type ORDER BY sequence) FROM payments.outbox_events e
                   WHERE e.user_id = f.user_id AND e.subject = f.id))
    FROM (
        SELECT f.id, f.user_id, f.status, f.created_at, f.finalized_at, coalesce(o.events, 0) AS events,
               CASE f.status WHEN 'PENDING' THEN 1 WHEN 'COMPLETED' THEN 1 + 100 ELSE 1 + 10000 END AS wanted,
               now() - make_interval(hours => 1) * %(retention_h)s::float8 AS kept_since
        FROM payments.refunds f
        LEFT JOIN (
            SELECT user_id, subject, sum(CASE sequence || type WHEN '1refund.requested' THEN 1
                WHEN '2refund.completed' THEN 100 WHEN '2refund.refused' THEN 10000 ELSE 1000000 END) AS events
            FROM payments.outbox_events
            WHERE type IN ('refund.requested', 'refund.completed', 'refund.refused')
            GROUP BY subject, user_id
        ) o ON o.user_id = f.user_id AND o.subject = f.id
    ) f
    WHERE CASE WHEN created_at > kept_since THEN events <> wanted
               WHEN finalized_at > kept_since THEN events NOT IN (wanted - 1, wanted) END
    UNION ALL
    SELECT CASE WHEN f.id IS NULL
        THEN format('event %%s of user %%s is about refund %%s, which does not exist', event_id, o.user_id, o.subject)
        ELSE format('the payload of event %%s of user %%s is not that of its refund', event_id, o.user_id) END
    FROM payments.outbox_events o
    LEFT JOIN payments.refunds f ON f.user_id = o.user_id AND f.id = o.subject
    WHERE o.type IN ('refund.requested', 'refund.completed', 'refund.refused') AND CASE
        WHEN f.id IS NULL THEN true
        WHEN starts_with(o.payload::text, concat(
                '{"specversion":"1.0","id":"', o.event_id, '","source":"/strongbox","type":"', o.type, '","subject":"',
                f.id, '",'))
            AND position(concat(
                '"data":{"refund_id":"', f.id, '","payment_id":"', f.payment_id, '","user_id":"', f.user_id,
                '","amount":', f.amount, ',"currency":"', f.currency, '","status":"',
                CASE o.sequence WHEN 1 THEN 'PENDING' ELSE f.status END, '","reason"') IN o.payload::text) > 0
            THEN o.tenant_id IS DISTINCT FROM f.tenant_id
        ELSE true
        END
"""

QUERIES = (
    (
        "refunds_fit_their_payments",
        "every refund is of an approved payment, and those that are not refused are not more than it",
        _REFUNDS_FIT_THEIR_PAYMENTS,
    ),
    (
        "refunds_match_their_transactions",
        "every completed refund has credited its wallet exactly once, any other never",
        _REFUNDS_MATCH_THEIR_TRANSACTIONS,
    ),
    (
        "keys_match_their_refunds",
        "every key of a refund, and of a payment of /v1, holds it while it is pending, and has its answer afterwards",
        _KEYS_MATCH_THEIR_REFUNDS,
    ),
    (
        "refunds_match_their_events",
        "every refund has the events of its status, each once and about it, and no event lacks its refund",
        _REFUNDS_MATCH_THEIR_EVENTS,
    ),
)
"""Name, claim and query. Those with a parameter have their percent signs doubled."""
