"""What an owner could do to the books of `test_verify.py`, by the check of `strongbox verify` that has to name it."""


def another(member: str, value: str, other: str, events: str = "") -> str:
    """In all stored answers, or in the payloads of those events, another value of the member."""
    if events:
        text = f"""replace(payload::text, '"{member}":{value}', '"{member}":{other}')"""
        return f"UPDATE outbox_events SET payload = {text}::json WHERE type = '{events}'"
    text = f"""replace(convert_from(response_body, 'UTF8'), '"{member}":{value}', '"{member}":{other}')"""
    return f"UPDATE idempotency_keys SET response_body = convert_to({text}, 'UTF8')"


TAMPERINGS = {
    "wallets_match_their_entries": ["UPDATE wallet_balances SET current_balance = current_balance + 1"],
    "entries_sum_to_zero": ["UPDATE ledger_entries SET amount = amount - 1 WHERE account = 'payments'"],
    "transactions_have_two_legs": [
        "UPDATE transactions SET status = 'PENDING' WHERE kind = 'FUNDING'",
        "UPDATE ledger_entries SET account = 'payments' WHERE account = 'funding'",
        "DELETE FROM ledger_entries WHERE account = 'funding'",
        "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_transaction_fkey;"
        "DELETE FROM transactions WHERE kind = 'FUNDING'",
    ],
    "histories_have_no_gaps": ["UPDATE ledger_entries SET wallet_version = 99 WHERE wallet_version = 2"],
    "payments_match_their_transactions": [
        "UPDATE payments SET status = 'FAILED' WHERE status = 'APPROVED'",
        "UPDATE payments SET amount = 11 WHERE status = 'APPROVED'",
        "ALTER TABLE payments DROP CONSTRAINT payments_status;"
        "ALTER TABLE transactions DROP CONSTRAINT transactions_status;"
        "UPDATE payments SET status = 'LOST' WHERE status = 'APPROVED';"
        "UPDATE transactions SET status = 'LOST' WHERE status = 'APPROVED'",
        "UPDATE payments SET finalized_at = created_at - interval '1 us' WHERE status = 'APPROVED'",
        "UPDATE payments SET created_at = 'infinity' WHERE status = 'APPROVED'",
        "UPDATE payments SET finalized_at = 'infinity' WHERE status = 'APPROVED'",
        "ALTER TABLE payments DROP CONSTRAINT payments_final;"
        "UPDATE payments SET finalized_at = NULL WHERE status = 'APPROVED'",
        "UPDATE payments SET provider_id = gen_random_uuid() WHERE status = 'PENDING'",
        "ALTER TABLE payments DROP CONSTRAINT payments_marked_is_never_approved;"
        "UPDATE payments SET void_requested_at = finalized_at WHERE status = 'APPROVED'",
        "ALTER TABLE transactions DROP CONSTRAINT transactions_payment_fkey;"
        "UPDATE transactions SET payment_id = gen_random_uuid() WHERE kind = 'REFUND'",
    ],
    "references_pay_in_once": [
        "DROP INDEX transactions_once_per_reference;"
        "INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at)"
        " SELECT user_id, gen_random_uuid(), kind, reference, amount, currency, status, now()"
        " FROM transactions WHERE kind = 'FUNDING'",
    ],
    "keys_match_their_payments": [
        "UPDATE idempotency_keys SET payment_id = (SELECT id FROM payments WHERE status = 'DECLINED')"
        " WHERE key = 'key-0'",
        "UPDATE idempotency_keys SET response_body = 'x' WHERE key = 'key-0'",
        another("amount", "10", "11"),
        another("refunded", "true", "false"),
        another("code", '"GATEWAY_ERROR"', '""'),
        another("code", '"GATEWAY_TIMEOUT"', '"DEADLINE_EXCEEDED"'),
        "UPDATE idempotency_keys SET response_body = response_body || '}' WHERE key = 'key-0'",
        "UPDATE idempotency_keys SET response_body = response_body || '}' WHERE key = 'key-3'",
        "UPDATE idempotency_keys SET response_status = 200 WHERE key = 'key-0'",
        "UPDATE idempotency_keys SET response_status = 504 WHERE key = 'key-3'",
        "DELETE FROM idempotency_keys WHERE key = 'key-0';"
        "UPDATE payments SET idempotency_key = 'key-1' WHERE idempotency_key = 'key-0'",
        "DELETE FROM idempotency_keys WHERE key = 'key-2'",
    ],
    "payments_match_their_events": [
        "DELETE FROM outbox_events WHERE type = 'payment.completed'",
        "UPDATE outbox_events SET payload = '{}' WHERE type = 'payment.completed'",
        "UPDATE outbox_events SET payload = '\"\\u0000\"' WHERE type = 'payment.completed'",
        another("amount", "10", "11", events="payment.created"),
        another("amount", "10", "11", events="refund.created"),
        another("currency", '"USD"', '"EUR"', events="payment.completed"),
        another("status", '"DECLINED"', '"APPROVED"', events="payment.failed"),
        # The trail lacks the event, which is no offence as long as it is unsent.
        "DELETE FROM audit.events WHERE position = 2;"
        "UPDATE outbox_events SET type = '' WHERE type = 'payment.completed'",
        "DELETE FROM audit.events WHERE position = 2;"
        "UPDATE outbox_events SET type = 'payment. completed' WHERE type = 'payment.completed'",
        "UPDATE payments SET created_at = created_at - interval '25 h';"
        "DELETE FROM outbox_events WHERE type = 'payment.completed'",
    ],
    "ledger_is_append_only": [
        "GRANT UPDATE (amount) ON ledger_entries TO strongbox_app",
        "GRANT UPDATE (amount) ON ledger_entries TO strongbox_service",
        "GRANT DELETE ON ledger_entries TO PUBLIC",
        "GRANT TRUNCATE ON audit.events TO strongbox_service",
        "GRANT DELETE ON audit.actions TO strongbox_service",
    ],
    "audit_chain_is_unbroken": [
        "UPDATE audit.events SET payload = (payload::text || ' ')::json WHERE position = 2",
        "UPDATE audit.events SET occurred_at = 'infinity' WHERE position = 2",
        "UPDATE audit.events SET received_at = '294276-12-31' WHERE position = 2",
        "UPDATE audit.events SET position = position + 9223372036854775800 WHERE position BETWEEN 6 AND 7",
        "ALTER TABLE audit.events ALTER hash DROP NOT NULL; UPDATE audit.events SET hash = NULL WHERE position = 2",
    ],
    "audit_trail_is_complete": [
        "UPDATE audit.events SET subject = gen_random_uuid() WHERE position = 1",
        "UPDATE audit.events SET type = 'payment.unknown' WHERE position = 1",
        "UPDATE audit.events SET type = 'payment.created payment.completed' WHERE position = 1;"
        "DELETE FROM audit.events WHERE position = 2; DELETE FROM outbox_events",
    ],
}
