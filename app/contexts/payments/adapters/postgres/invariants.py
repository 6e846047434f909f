"""The invariants of payments, their keys and their events, each as a query for what contradicts it.

An offender is a line of text. They hold against an owner who drops constraints and writes what he likes: what could not
be compared is itself an offender.
"""

_PAYMENTS_MATCH_THEIR_TRANSACTIONS = """
    SELECT format('payment %s of user %s is %s with %s debit(s) and %s refund(s) that fit', p.id, p.user_id, p.status,
                  t.debits, t.refunds)
    FROM payments p
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE t.kind = 'PAYMENT' AND t.id = p.transaction_id AND t.status = p.status
                                    AND t.amount = p.amount AND t.currency = p.currency) AS debits,
               count(*) FILTER (WHERE t.kind = 'REFUND' AND t.status = 'COMPLETED'
                                    AND t.amount = p.amount AND t.currency = p.currency) AS refunds,
               count(*) FILTER (WHERE t.kind <> 'MERCHANT_REFUND') AS all_of_them
        FROM transactions t
        WHERE t.user_id = p.user_id AND t.payment_id = p.id
    ) t ON true
    WHERE t.debits <> 1 OR t.refunds <> CASE WHEN p.status IN ('DECLINED', 'FAILED') THEN 1 ELSE 0 END
        OR t.all_of_them <> t.debits + t.refunds
    UNION ALL
    SELECT format('transaction %s of user %s is a %s of payment %s, which does not exist', t.id, t.user_id, t.kind,
                  t.payment_id)
    FROM transactions t
    LEFT JOIN payments p ON p.user_id = t.user_id AND p.id = t.payment_id
    WHERE CASE WHEN t.kind IN ('PAYMENT', 'REFUND', 'MERCHANT_REFUND') THEN p.id IS NULL
               ELSE t.payment_id IS NOT NULL END
    UNION ALL
    SELECT format('payment %s of user %s %s', id, user_id, wrong)
    FROM (
        SELECT id, user_id, CASE
            WHEN status NOT IN ('PENDING', 'APPROVED', 'DECLINED', 'FAILED') THEN format('is %s: no status', status)
            WHEN status = 'APPROVED' AND void_requested_at IS NOT NULL THEN 'is APPROVED, though marked for a void'
            WHEN (status = 'PENDING') <> (finalized_at IS NULL) THEN format('is %s, final at %s', status, finalized_at)
            WHEN finalized_at < created_at OR NOT isfinite(finalized_at)
                THEN format('was made at %s, final at %s', created_at, finalized_at)
            WHEN provider_id NOT IN (SELECT s.id FROM service_providers s)
                THEN format('is for provider %s, which does not exist', provider_id) END AS wrong
        FROM payments
    ) p
    WHERE wrong IS NOT NULL
"""

# A key may be used again once it was purged: so long after its payment became final as it was kept. That time is a
# setting; what an older and shorter one allowed is not held against it for longer than that. Answers are compared
# as they are written, to the byte: nothing may read JSON that need not be any.
_KEYS_MATCH_THEIR_PAYMENTS = """
    SELECT format('payment %%s of user %%s is %%s, its key %%s', p.id, p.user_id, p.status,
                  CASE WHEN k.key IS NULL THEN 'is gone' WHEN k.finalized_at IS NULL THEN 'has no answer'
                       ELSE 'has an answer' END)
    FROM payments p
    LEFT JOIN (
        SELECT user_id, key, payment_id, finalized_at, false AS is_of_v1 FROM idempotency_keys
        UNION ALL SELECT user_id, key, made_id, finalized_at, true FROM v1_idempotency_keys
    ) k ON k.user_id = coalesce(p.asked_by, p.user_id) AND k.key = p.idempotency_key AND k.payment_id = p.id
        AND k.is_of_v1 = (p.asked_by IS NOT NULL)
    WHERE CASE WHEN p.status = 'PENDING' THEN k.key IS NULL OR k.finalized_at IS NOT NULL
               ELSE k.key IS NOT NULL AND k.finalized_at IS NULL END
    UNION ALL
    SELECT format('payments %%s and %%s of user %%s were made under one key', before, id, user_id)
    FROM (
        SELECT id, user_id, created_at, lag(id) OVER of_a_key AS before,
               lag(coalesce(finalized_at, 'infinity')) OVER of_a_key AS final_before
        FROM payments
        WHERE (coalesce(asked_by, user_id), idempotency_key, asked_by IS NULL) IN (
            SELECT coalesce(asked_by, user_id), idempotency_key, asked_by IS NULL FROM payments
            GROUP BY coalesce(asked_by, user_id), idempotency_key, asked_by IS NULL HAVING count(*) > 1
        )
        WINDOW of_a_key AS (
            PARTITION BY coalesce(asked_by, user_id), idempotency_key, asked_by IS NULL ORDER BY created_at, id
        )
    ) p, (SELECT make_interval(hours => 1) * %(ttl_h)s::float8 AS ttl) kept
    WHERE created_at < final_before + CASE WHEN created_at > now() - ttl THEN ttl ELSE '0' END
    UNION ALL
    SELECT CASE
        WHEN k.payment_id IS NULL
            THEN format('a key of user %%s made at %%s has neither payment nor answer', k.user_id, k.created_at)
        WHEN p.idempotency_key IS DISTINCT FROM k.key
            THEN format('a key of user %%s names payment %%s, which does not exist or has another key',
                        k.user_id, k.payment_id)
        ELSE format('the answer stored for payment %%s of user %%s is not one of a payment that is %%s',
                    p.id, p.user_id, p.status) END
    FROM idempotency_keys k
    LEFT JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
    WHERE CASE
        WHEN k.payment_id IS NULL THEN k.finalized_at IS NULL
        WHEN p.idempotency_key IS DISTINCT FROM k.key THEN true
        WHEN k.finalized_at IS NULL THEN false
        WHEN p.status = 'FAILED' THEN
            k.response_status IS DISTINCT FROM CASE p.failure_code WHEN 'GATEWAY_ERROR' THEN 502 ELSE 504 END
            OR regexp_replace(encode(k.response_body, 'escape'), '"message":"[^"\\\\]*"', '"message":""')
                IS DISTINCT FROM format(
                    '{"error":{"code":"%%s","message":"","details":{"payment_id":"%%s","status":"FAILED","refunded":true}}}',
                    CASE p.failure_code WHEN 'DEADLINE_EXCEEDED' THEN 'GATEWAY_TIMEOUT' ELSE p.failure_code END, p.id)
        ELSE k.response_status IS DISTINCT FROM 201 OR k.response_body IS DISTINCT FROM convert_to(concat(
            '{"payment_id":"', p.id, '","transaction_id":"', p.transaction_id, '","user_id":"', p.user_id,
            '","provider_id":"', p.provider_id, '","external_reference":', to_json(p.external_reference),
            ',"amount":', p.amount, ',"currency":"', p.currency, '","status":"', p.status, '","failure_code":',
            coalesce(to_json(p.failure_code)::text, 'null'), ',"created_at":"',
            to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '","finalized_at":"',
            to_char(p.finalized_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '"}'), 'UTF8')
        END
"""

# Sent events leave after their retention: older ones cannot be held against a payment, but for the one of its end if
# that came later. An event is a number, by its type at its place in the sequence: sums, unlike lists, are made in
# parallel and without sorting. A payload is taken apart only when it does not begin, or go on, as we write it; and
# not at all when there is an escape in it that PostgreSQL cannot read: we write none.
_PAYMENTS_MATCH_THEIR_EVENTS = """
    SELECT format('payment %%s of user %%s is %%s, its events in the outbox are %%s', id, user_id, status,
                  (SELECT array_agg(type ORDER BY sequence) FROM payments.outbox_events e
                   WHERE e.user_id = p.user_id AND e.subject = p.id))
    FROM (
        SELECT p.id, p.user_id, p.status, p.created_at, p.finalized_at, coalesce(o.events, 0) AS events,
               CASE p.status WHEN 'PENDING' THEN 1 WHEN 'APPROVED' THEN 1 + 100 ELSE 1 + 10000 + 1000000 END AS wanted,
               now() - make_interval(hours => 1) * %(retention_h)s::float8 AS kept_since
        FROM payments p
        LEFT JOIN (
            SELECT user_id, subject, sum(CASE sequence || type WHEN '1payment.created' THEN 1
                WHEN '2payment.completed' THEN 100 WHEN '2payment.failed' THEN 10000 WHEN '3refund.created' THEN 1000000
                ELSE 100000000 END) AS events
            FROM payments.outbox_events
            GROUP BY subject, user_id
        ) o ON o.user_id = p.user_id AND o.subject = p.id
    ) p
    WHERE CASE WHEN created_at > kept_since THEN events <> wanted
               WHEN finalized_at > kept_since THEN events NOT IN (wanted - 1, wanted) END
    UNION ALL
    SELECT CASE WHEN p.id IS NULL
        THEN format('event %%s of user %%s is about payment %%s, which does not exist', event_id, o.user_id, o.subject)
        ELSE format('the payload of event %%s of user %%s is not that of its payment', event_id, o.user_id) END
    FROM payments.outbox_events o
    LEFT JOIN payments p ON p.user_id = o.user_id AND p.id = o.subject
    WHERE o.type NOT IN ('refund.requested', 'refund.completed', 'refund.refused') AND CASE
        WHEN p.id IS NULL THEN true
        WHEN starts_with(o.payload::text, concat(
                '{"specversion":"1.0","id":"', o.event_id, '","source":"/strongbox","type":"', o.type, '","subject":"',
                p.id, '",'))
            AND position(CASE o.sequence WHEN 3 THEN concat(
                '"payment_id":"', p.id, '","user_id":"', p.user_id, '","amount":', p.amount, ',"currency":"',
                p.currency, '","created_at"')
            ELSE concat(
                '"data":{"payment_id":"', p.id, '","transaction_id":"', p.transaction_id, '","user_id":"', p.user_id,
                '","provider_id":"', p.provider_id, '","external_reference":', to_json(p.external_reference),
                ',"amount":', p.amount, ',"currency":"', p.currency, '","status":"',
                CASE o.sequence WHEN 1 THEN 'PENDING' ELSE p.status END, '","failure_code"')
            END IN o.payload::text) > 0 THEN false
        WHEN o.payload::text ~ '(^|[^\\\\])(\\\\\\\\)*\\\\u(0000|[Dd][89A-Fa-f])' THEN true
        ELSE (payload->>'id', payload->>'type', payload->>'subject', payload->'data'->>'payment_id',
              payload->'data'->>'user_id', payload->'data'->>'amount', payload->'data'->>'currency',
              payload->'data'->>'status')
            IS DISTINCT FROM (o.event_id::text, o.type, p.id::text, p.id::text, p.user_id::text, p.amount::text,
                              p.currency, CASE o.sequence WHEN 1 THEN 'PENDING' WHEN 2 THEN p.status END)
        END
"""

QUERIES = (
    (
        "payments_match_their_transactions",
        "every payment's status fits its times, it was debited once, and refunded exactly once if declined or failed",
        _PAYMENTS_MATCH_THEIR_TRANSACTIONS,
    ),
    (
        "keys_match_their_payments",
        "every key has one payment: a pending one holds it, a final one has its answer stored with it",
        _KEYS_MATCH_THEIR_PAYMENTS,
    ),
    (
        "payments_match_their_events",
        "every payment has the events of its status, each once and about it, and no event lacks its payment",
        _PAYMENTS_MATCH_THEIR_EVENTS,
    ),
)
"""Name, claim and query. Those with a parameter have their percent signs doubled."""
