-- A purchase and the cashback that it earns, to be minted at once, a statement after the other, for one at a time: the rows
-- that the service writes, with documents as long as its own. Given: run, wallets, tenant, machine, rule, earned,
-- requested, bought; serial = 0.
\set nth random(0, :wallets - 1)
\set amount random(1000, 9999)
\set cashback :amount * 100
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
INSERT INTO v1_idempotency_keys (user_id, key, fingerprint, made_id, created_at)
    SELECT :machine::uuid, :run || '-' || :client_id || '-' || :serial, sha256('a request'), lpad(:id::text, 32, '0')::uuid, now()
    FROM (SELECT md5('user ' || :nth)::uuid) AS r (id)
    WHERE EXISTS (SELECT FROM rewards.users u
                  WHERE u.bucket = get_byte(uuid_send(r.id), 15) & 15 AND u.tenant_id = :tenant AND u.user_id = r.id)
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING key, made_id AS purchase, md5('user ' || :nth)::uuid AS buyer, md5('entry ' || :id)::uuid AS entry \gset
SELECT bucket, minting FROM rewards.users
    WHERE bucket = get_byte(uuid_send(:buyer::uuid), 15) & 15 AND tenant_id = :tenant AND user_id = :buyer
    FOR NO KEY UPDATE \gset
\set minting :minting + :cashback
SELECT id, basis_points FROM rewards.rules WHERE tenant_id = :tenant AND is_active AND currency = 'USD';
SELECT id, accrued FROM rewards.entries WHERE bucket = :bucket AND user_id = :buyer AND is_open AND tenant_id = :tenant;
SELECT get_byte(sha256(convert_to('corner shop' || E'\n' || :key, 'UTF8')), 31) & 15 AS place \gset
SELECT id FROM rewards.purchases
    WHERE bucket = :place AND tenant_id = :tenant AND merchant = 'corner shop' AND reference = :key;
INSERT INTO rewards.purchases (bucket, tenant_id, id, user_id, source, merchant, reference, category, amount, currency, at,
                               entry_id, cashback, rule_id, status, created_at)
    VALUES (:place, :tenant, :purchase, :buyer, 'purchase', 'corner shop', :key, 'groceries', :amount, 'USD', clock_timestamp(),
            :entry, :cashback, :rule, 'MINTING', clock_timestamp());
UPDATE rewards.users SET minting = :minting, updated_at = clock_timestamp()
    WHERE bucket = :bucket AND tenant_id = :tenant AND user_id = :buyer;
INSERT INTO rewards.entries (bucket, tenant_id, user_id, id, purchase_id, rule_id, source, merchant, reference, amount, reversed,
                             accrued, minting, minted, attempt, told, created_at)
    VALUES (:bucket, :tenant, :buyer, :entry, :purchase, :rule, 'purchase', 'corner shop', :key, :cashback, 0, 0, :cashback, 0,
            1, 2, clock_timestamp());
INSERT INTO rewards.cashback_ledger (bucket, tenant_id, user_id, id, entry_id, kind, amount, owed, request_id, created_at)
    VALUES (:bucket, :tenant, :buyer, :entry, :entry, 'EARNED', :cashback, 0, NULL, clock_timestamp()),
           (:bucket, :tenant, :buyer, md5('line ' || :id)::uuid, :entry, 'MINTING', :cashback, 0, md5('request ' || :id)::uuid,
            clock_timestamp());
INSERT INTO rewards.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:buyer, md5('earned ' || :id)::uuid, :entry, 1, 'cashback.earned', :earned, :nth % 16, clock_timestamp(), :tenant),
           (:buyer, md5('requested ' || :id)::uuid, :entry, 2, 'mint.requested', :requested, :nth % 16, clock_timestamp(), :tenant);
UPDATE v1_idempotency_keys
    SET response_status = 201, response_body = convert_to(:bought, 'UTF8'), finalized_at = clock_timestamp()
    WHERE user_id = :machine AND key = :key;
COMMIT;
