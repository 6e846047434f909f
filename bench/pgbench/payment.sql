-- A payment's two transactions, a statement after the other, for one payment at a time: the rows that the service
-- writes, with documents as long as its own. Given: run, wallets, provider, created, completed, answer; serial = 0.
\set nth random(0, :wallets - 1)
\set amount random(1000, 9999)
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
INSERT INTO idempotency_keys (user_id, key, fingerprint, payment_id, created_at)
    SELECT r.user_id, :run || '-' || :client_id || '-' || :serial, sha256('a request'), lpad(:id::text, 32, '0')::uuid, now()
    FROM (SELECT md5('user ' || :nth)::uuid) AS r (user_id)
    WHERE EXISTS (SELECT FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = 'USD')
        AND EXISTS (SELECT FROM service_providers p WHERE p.id = :provider::uuid AND p.is_active)
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING user_id, key, payment_id \gset
SELECT current_balance, version FROM wallet_balances WHERE user_id = :user_id AND currency = 'USD' FOR UPDATE \gset
\set balance :current_balance - :amount
\set version :version + 1
INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount, currency,
                      status, created_at)
    VALUES (:user_id, :payment_id, :payment_id, :key, :provider, 'bill 7', :amount, 'USD', 'PENDING', clock_timestamp());
INSERT INTO transactions (user_id, id, kind, payment_id, amount, currency, status, created_at)
    VALUES (:user_id, :payment_id, 'PAYMENT', :payment_id, :amount, 'USD', 'PENDING', clock_timestamp());
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:user_id, :payment_id, 'wallet', 'USD', - :amount::bigint, :balance, :version, clock_timestamp()),
           (:user_id, :payment_id, 'payments', 'USD', :amount, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET current_balance = :balance, version = :version, updated_at = clock_timestamp()
    WHERE user_id = :user_id AND currency = 'USD';
INSERT INTO payments.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at)
    VALUES (:user_id, :payment_id, :payment_id, 1, 'payment.created', :created, :nth % 16, clock_timestamp());
COMMIT;

BEGIN;
SELECT payment_id, response_status, response_body FROM idempotency_keys WHERE user_id = :user_id AND key = :key FOR UPDATE;
SELECT status, void_requested_at FROM payments WHERE user_id = :user_id AND id = :payment_id FOR UPDATE;
UPDATE payments SET status = 'APPROVED', finalized_at = clock_timestamp()
    WHERE user_id = :user_id AND id = :payment_id AND finalized_at IS NULL AND void_requested_at IS NULL;
UPDATE transactions SET status = 'APPROVED' WHERE user_id = :user_id AND id = :payment_id;
UPDATE idempotency_keys
    SET response_status = 201, response_body = convert_to(:answer, 'UTF8'), finalized_at = clock_timestamp()
    WHERE user_id = :user_id AND key = :key;
INSERT INTO payments.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at)
    VALUES (:user_id, :payment_id, :payment_id, 2, 'payment.completed', :completed, :nth % 16, clock_timestamp());
COMMIT;
