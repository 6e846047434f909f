-- A transfer between two wallets, a statement after the other, for one at a time: the rows that the service writes, with
-- documents as long as its own. Given: run, wallets, one (1: everybody sends to the first wallet, else 0), tenant,
-- transferred, sent; serial = 0.
\set nth random(:one, :wallets - 1)
\set other (:nth + random(1, :wallets - 1)) % :wallets * (1 - :one)
\set amount random(1000, 9999)
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
INSERT INTO v1_idempotency_keys (user_id, key, fingerprint, made_id, created_at)
    SELECT r.user_id, :run || '-' || :client_id || '-' || :serial, sha256('a request'), lpad(:id::text, 32, '0')::uuid, now()
    FROM (SELECT md5('user ' || :nth)::uuid) AS r (user_id)
    WHERE EXISTS (SELECT FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = 'USD')
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING user_id AS sender, key, made_id AS transfer_id, md5('user ' || :other)::uuid AS recipient \gset
SELECT max(current_balance) FILTER (WHERE user_id = :sender) AS balance, max(version) FILTER (WHERE user_id = :sender) AS version,
       max(current_balance) FILTER (WHERE user_id = :recipient) AS others, max(version) FILTER (WHERE user_id = :recipient) AS others_version
    FROM (SELECT user_id, current_balance, version FROM wallet_balances
          WHERE user_id IN (:sender, :recipient) AND currency = 'USD' ORDER BY user_id FOR UPDATE) w \gset
SELECT coalesce(sum(amount), 0) FROM payments WHERE user_id = :recipient AND currency = 'USD' AND status = 'PENDING';
\set balance :balance - :amount
\set version :version + 1
\set others :others + :amount
\set others_version :others_version + 1
INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, counterparty)
    VALUES (:sender, :transfer_id, 'TRANSFER_OUT', :amount, 'USD', 'COMPLETED', clock_timestamp(), :recipient),
           (:recipient, :transfer_id, 'TRANSFER_IN', :amount, 'USD', 'COMPLETED', clock_timestamp(), :sender);
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:sender, :transfer_id, 'wallet', 'USD', - :amount::bigint, :balance, :version, clock_timestamp()),
           (:sender, :transfer_id, 'transfers', 'USD', :amount, NULL, NULL, clock_timestamp()),
           (:recipient, :transfer_id, 'wallet', 'USD', :amount, :others, :others_version, clock_timestamp()),
           (:recipient, :transfer_id, 'transfers', 'USD', - :amount::bigint, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET current_balance = :balance, version = :version, updated_at = clock_timestamp()
    WHERE user_id = :sender AND currency = 'USD';
UPDATE wallet_balances SET current_balance = :others, version = :others_version, updated_at = clock_timestamp()
    WHERE user_id = :recipient AND currency = 'USD';
UPDATE v1_idempotency_keys
    SET response_status = 201, response_body = convert_to(:sent, 'UTF8'), finalized_at = clock_timestamp()
    WHERE user_id = :sender AND key = :key;
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:sender, :transfer_id, :transfer_id, 1, 'transfer.completed', :transferred, :nth % 16, clock_timestamp(), :tenant);
COMMIT;
