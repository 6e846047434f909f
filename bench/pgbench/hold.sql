-- Money set aside and handed over to another user, in two transactions, a statement after the other, for one hold at a
-- time: the rows that the service writes, with documents as long as its own. Given: run, wallets, tenant, placed,
-- captured, done; serial = 0.
\set nth random(0, :wallets - 1)
\set other (:nth + random(1, :wallets - 1)) % :wallets
\set amount random(1000, 9999)
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, created_at)
    SELECT get_byte(uuid_send(r.id), 15) & 15, r.id, 'bench', 'hold', md5('user ' || :nth)::uuid, sha256('a hold'), false, now()
    FROM (SELECT lpad(:id::text, 32, '0')::uuid) AS r (id)
    ON CONFLICT (bucket, business_id, context, name) DO NOTHING
    RETURNING bucket, business_id, user_id AS owner, md5('user ' || :other)::uuid AS recipient \gset
SELECT current_balance, version, held FROM wallet_balances WHERE user_id = :owner AND currency = 'USD' FOR UPDATE \gset
\set balance :current_balance - :amount
\set held :held + :amount
\set version :version + 1
INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at)
    VALUES (:owner, :business_id, :tenant, 'bench', :business_id, :amount, 'USD', 'OPEN', 1, clock_timestamp());
INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, business_id, hold_id)
    VALUES (:owner, md5('hold ' || :id)::uuid, 'HOLD', :amount, 'USD', 'COMPLETED', clock_timestamp(), :business_id, :business_id);
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:owner, md5('hold ' || :id)::uuid, 'wallet', 'USD', - :amount::bigint, :balance, :version, clock_timestamp()),
           (:owner, md5('hold ' || :id)::uuid, 'held', 'USD', :amount, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET current_balance = :balance, held = :held, version = :version, updated_at = clock_timestamp()
    WHERE user_id = :owner AND currency = 'USD';
UPDATE operations SET answer = :done::json
    WHERE bucket = :bucket AND business_id = :business_id AND context = 'bench' AND name = 'hold';
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:owner, md5('placed ' || :id)::uuid, :business_id, 1, 'hold.placed', :placed, :nth % 16, clock_timestamp(), :tenant);
COMMIT;

BEGIN;
SELECT amount, status, version FROM holds WHERE user_id = :owner AND id = :business_id FOR UPDATE;
SELECT max(held) FILTER (WHERE user_id = :owner) AS held,
       max(current_balance) FILTER (WHERE user_id = :recipient) AS others, max(version) FILTER (WHERE user_id = :recipient) AS others_version
    FROM (SELECT user_id, current_balance, version, held FROM wallet_balances
          WHERE user_id IN (:owner, :recipient) AND currency = 'USD' ORDER BY user_id FOR UPDATE) w \gset
SELECT coalesce(sum(amount), 0) FROM payments WHERE user_id = :recipient AND currency = 'USD' AND status = 'PENDING';
\set others :others + :amount
\set others_version :others_version + 1
UPDATE holds SET captured = amount, status = 'CAPTURED', version = 2, capture_fingerprint = sha256('parts'), closed_at = clock_timestamp()
    WHERE user_id = :owner AND id = :business_id AND closed_at IS NULL;
INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, counterparty, business_id, hold_id)
    VALUES (:owner, :business_id, 'CAPTURE_OUT', :amount, 'USD', 'COMPLETED', clock_timestamp(), NULL, :business_id, :business_id),
           (:recipient, :business_id, 'CAPTURE_IN', :amount, 'USD', 'COMPLETED', clock_timestamp(), :owner, :business_id, NULL);
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:owner, :business_id, 'held', 'USD', - :amount::bigint, NULL, NULL, clock_timestamp()),
           (:owner, :business_id, 'transfers', 'USD', :amount, NULL, NULL, clock_timestamp()),
           (:recipient, :business_id, 'wallet', 'USD', :amount, :others, :others_version, clock_timestamp()),
           (:recipient, :business_id, 'transfers', 'USD', - :amount::bigint, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET held = :held::bigint - :amount, updated_at = clock_timestamp()
    WHERE user_id = :owner AND currency = 'USD';
UPDATE wallet_balances SET current_balance = :others, version = :others_version, updated_at = clock_timestamp()
    WHERE user_id = :recipient AND currency = 'USD';
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:owner, md5('captured ' || :id)::uuid, :business_id, 2, 'hold.captured', :captured, :nth % 16, clock_timestamp(), :tenant);
COMMIT;
