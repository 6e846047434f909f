"""The comparison: one statement, and so one snapshot, over payments, refunds and what reports have told so far.

Of each line that fits nothing is written. What does not goes into `report_met`, with its verdict: a kind of finding;
`carried`, for the next day's run; `other`, a line of another tenant's.

The report meets what became final on its day in one join, whatever else there is; the few lines that find nothing there
are looked for one by one, by index, and so are those of earlier reports: however large a table or a history grows, the
planner is left no other choice (`OFFSET 0`).
"""

from typing import Final

from app.contexts.payments.public import MOVEMENTS, PENDING, STANDING

CARRIED: Final = "carried"
OTHER: Final = "other"

MAKE: Final = """
    CREATE TEMPORARY TABLE report_met (
        verdict text COLLATE "C" NOT NULL, line bigint, is_from_before boolean NOT NULL, type text NOT NULL,
        payment_id uuid NOT NULL, refund_id uuid,
        our_status text, our_amount bigint, our_currency text, our_finalized_at timestamptz,
        their_charge_id uuid, their_amount bigint, their_currency text, their_occurred_at timestamptz
    ) ON COMMIT DROP
"""

_STANDING: Final = ", ".join(f"'{status}'" for status in STANDING)
_STANDS: Final = f"coalesce(o.tenant_id = %(tenant_id)s::uuid, %(keeps_keys)s::boolean) AND o.status IN ({_STANDING})"
# Id and payment tell a charge, whose id is its payment's, from a refund.
_UNFIT: Final = f"""
    SELECT l.*, o.id AS our_id, o.type AS our_type, o.payment_id AS our_payment_id, o.refund_id AS our_refund_id,
           o.status, o.amount AS our_amount, o.currency AS our_currency, o.finalized_at
    FROM (
        SELECT * FROM movements
        WHERE finalized_at >= %(begins)s::timestamptz AND finalized_at < %(ends)s::timestamptz
    ) o
    FULL JOIN pg_temp.report_lines l ON l.id = o.id AND l.payment_id = o.payment_id
    WHERE CASE WHEN l.line IS NULL THEN {_STANDS} AND o.finalized_at < %(until)s::timestamptz
               ELSE ({_STANDS} AND o.currency = l.currency AND o.amount = l.amount AND l.is_again IS NULL) IS NOT TRUE
          END
"""
# What days before have left, of whatever run: a line, or what was missing there, each once.
_BEFORE: Final = """
    SELECT DISTINCT ON (c.type, coalesce(c.refund_id, c.payment_id), c.their_charge_id IS NULL)
        c.type, coalesce(c.refund_id, c.payment_id) AS id, c.payment_id, c.refund_id, c.their_charge_id AS charge_id,
        c.their_amount AS amount, c.their_currency COLLATE "C" AS currency, c.their_occurred_at AS occurred_at
    FROM reconciliation.carried c
    WHERE c.bucket = %(bucket)s::smallint AND c.tenant_id = %(tenant_id)s::uuid AND c.date < %(date)s::date
        AND c.taken_by IS NULL
    ORDER BY c.type, coalesce(c.refund_id, c.payment_id), c.their_charge_id IS NULL, c.date DESC
"""
_HERE: Final = """
    LEFT JOIN LATERAL (
        SELECT * FROM movements m WHERE m.id = l.id AND m.payment_id = l.payment_id OFFSET 0
    ) o ON true
"""
_OF_BOTH: Final = """
    l.type, l.payment_id, l.refund_id, o.status, o.amount, o.currency, o.finalized_at,
    l.charge_id, l.amount, l.currency, l.occurred_at
"""
# The rule, by what is here and what a line says: the first that fits counts.
_DIFFERS: Final = f"""
    WHEN o.id IS NULL THEN 'missing_here'
    {{pending}}
    WHEN o.status NOT IN ({_STANDING}) THEN 'status_differs'
    WHEN o.currency <> l.currency THEN 'currency_differs'
    WHEN o.amount <> l.amount THEN 'amount_differs'
"""
_LEFT_TO_THE_NEXT: Final = f"WHEN o.status = '{PENDING}' AND %(may_carry)s::boolean THEN '{CARRIED}'"
_LINES: Final = f"""
    SELECT v.verdict, l.line, false, {_OF_BOTH}
    FROM unfit l
    {_HERE}
    CROSS JOIN LATERAL (
        SELECT CASE WHEN o.id IS NOT NULL AND NOT coalesce(o.tenant_id = %(tenant_id)s::uuid, %(keeps_keys)s::boolean)
                        THEN '{OTHER}'
                    WHEN l.is_again THEN 'doubled'
                    {_DIFFERS.format(pending=_LEFT_TO_THE_NEXT)} END AS verdict
    ) v
    WHERE l.line IS NOT NULL AND v.verdict IS NOT NULL
"""
_IN_NO_REPORT: Final = """
    NOT EXISTS (
        SELECT FROM reconciliation.reported r
        WHERE r.bucket = get_byte(uuid_send({id}), 3) & 15 AND r.tenant_id = %(tenant_id)s::uuid
            AND r.prefix = substr(uuid_send({id}), 1, 4) AND {id} = ANY(r.ids)
        OFFSET 0
    )
"""
_NOTHING_OF_THEIRS: Final = "NULL::uuid, NULL::bigint, NULL::text, NULL::timestamptz"
_NOT_THERE: Final = f"""
    SELECT CASE WHEN %(may_carry)s::boolean
                    AND (u.finalized_at < %(begins)s::timestamptz + interval '15 minutes'
                         OR u.finalized_at >= %(ends)s::timestamptz - interval '15 minutes')
                THEN '{CARRIED}' ELSE 'missing_there' END,
           NULL::bigint, false, u.our_type, u.our_payment_id, u.our_refund_id, u.status, u.our_amount, u.our_currency,
           u.finalized_at, {_NOTHING_OF_THEIRS}
    FROM unfit u
    WHERE u.line IS NULL AND {_IN_NO_REPORT.format(id="u.our_id")}
"""
_LINES_OF_BEFORE: Final = f"""
    SELECT v.verdict, NULL::bigint, true, {_OF_BOTH}
    FROM before l
    {_HERE}
    CROSS JOIN LATERAL (SELECT CASE {_DIFFERS.format(pending="")} END AS verdict) v
    WHERE l.charge_id IS NOT NULL AND v.verdict IS NOT NULL
"""
_STILL_NOT_THERE: Final = f"""
    SELECT 'missing_there', NULL::bigint, true, {_OF_BOTH}
    FROM before l
    {_HERE}
    WHERE l.charge_id IS NULL AND {_IN_NO_REPORT.format(id="l.id")}
        AND NOT EXISTS (SELECT FROM pg_temp.report_lines n WHERE n.id = l.id)
"""

COMPARE: Final = f"""
    INSERT INTO pg_temp.report_met
    WITH movements AS NOT MATERIALIZED ({MOVEMENTS}), unfit AS MATERIALIZED ({_UNFIT}), before AS ({_BEFORE})
    {_LINES} UNION ALL {_NOT_THERE} UNION ALL {_LINES_OF_BEFORE} UNION ALL {_STILL_NOT_THERE}
"""
COUNT: Final = f"""
    SELECT (SELECT count(*) FROM pg_temp.report_lines),
           count(*) FILTER (WHERE line IS NOT NULL AND verdict = '{OTHER}'),
           count(*) FILTER (WHERE line IS NOT NULL AND verdict <> '{OTHER}'),
           count(*) FILTER (WHERE verdict = '{CARRIED}'),
           count(*) FILTER (WHERE verdict NOT IN ('{CARRIED}', '{OTHER}'))
    FROM pg_temp.report_met
"""
"""Lines, those of them that are others', those of the rest that do not fit, what is carried, findings."""
