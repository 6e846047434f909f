"""What a run keeps of what it met, set-based, in the transaction of the comparison."""

from typing import Final

from app.contexts.reconciliation.adapters.postgres.comparing import CARRIED, OTHER

INSERT_RUN: Final = """
    INSERT INTO reconciliation.runs
        (bucket, tenant_id, id, date, sha256, lines, matched, carried, findings, unresolved, created_at)
    VALUES (%(bucket)s, %(tenant_id)s, %(id)s, %(date)s, %(sha256)s, %(lines)s, %(matched)s, %(carried)s, %(findings)s,
        %(findings)s, %(created_at)s)
"""
# In the order of the report; what is in none of its lines comes last.
_NUMBERED: Final = """
    row_number() OVER (ORDER BY m.line NULLS LAST, m.is_from_before, coalesce(m.refund_id, m.payment_id))
"""
INSERT_FINDINGS: Final = f"""
    INSERT INTO reconciliation.findings
        (bucket, tenant_id, id, reconciliation_id, number, kind, line, payment_id, refund_id, our_status, our_amount,
         our_currency, our_finalized_at, their_charge_id, their_amount, their_currency, their_occurred_at)
    SELECT %(bucket)s::smallint, %(tenant_id)s::uuid, gen_random_uuid(), %(id)s::uuid, {_NUMBERED}, m.verdict, m.line,
           m.payment_id, m.refund_id, m.our_status, m.our_amount, m.our_currency, m.our_finalized_at,
           m.their_charge_id, m.their_amount, m.their_currency, m.their_occurred_at
    FROM pg_temp.report_met m WHERE m.verdict NOT IN ('{CARRIED}', '{OTHER}')
"""
TAKE_CARRIED: Final = """
    UPDATE reconciliation.carried SET taken_by = %(id)s::uuid
    WHERE bucket = %(bucket)s::smallint AND tenant_id = %(tenant_id)s::uuid AND date < %(date)s::date
        AND taken_by IS NULL
"""
INSERT_CARRIED: Final = f"""
    INSERT INTO reconciliation.carried
        (bucket, tenant_id, reconciliation_id, number, date, type, payment_id, refund_id, their_charge_id, their_amount,
         their_currency, their_occurred_at)
    SELECT %(bucket)s::smallint, %(tenant_id)s::uuid, %(id)s::uuid, {_NUMBERED}, %(date)s::date, m.type, m.payment_id,
           m.refund_id, m.their_charge_id, m.their_amount, m.their_currency, m.their_occurred_at
    FROM pg_temp.report_met m WHERE m.verdict = '{CARRIED}'
"""
INSERT_REPORTED: Final = f"""
    INSERT INTO reconciliation.reported (bucket, tenant_id, prefix, reconciliation_id, ids)
    SELECT get_byte(told.prefix, 3) & 15, %(tenant_id)s::uuid, told.prefix, %(id)s::uuid, told.ids
    FROM (
        SELECT substr(uuid_send(l.id), 1, 4) AS prefix, array_agg(l.id) AS ids
        FROM pg_temp.report_lines l
        WHERE NOT EXISTS (SELECT FROM pg_temp.report_met m WHERE m.line = l.line AND m.verdict = '{OTHER}')
        GROUP BY 1
    ) told
"""
KEEP: Final = (INSERT_RUN, INSERT_FINDINGS, TAKE_CARRIED, INSERT_CARRIED, INSERT_REPORTED)
"""All of it, in this order."""
