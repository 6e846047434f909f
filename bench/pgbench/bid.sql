-- A bid that takes the lead, in two transactions, a statement after the other, for one bid at a time: the rows that the
-- service writes in auctions and funds, with documents as long as its own. Everybody bids in the one auction, whose row all
-- of them need, and each client is a bidder of its own. Given: run, nth (of the auction), tenant, done, placed, released,
-- seen, bid_told, bid_answer; serial = 0.
\set amount random(1000, 9999)
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
SELECT r.bucket, r.auction, u.bidder, lpad(:id::text, 32, '0')::uuid AS bid
    FROM (SELECT get_byte(uuid_send(a.id), 15) & 15 AS bucket, a.id AS auction FROM (SELECT md5('auction ' || :nth)::uuid AS id) a) r,
         (SELECT md5('user ' || :client_id)::uuid AS bidder) u \gset
INSERT INTO v1_idempotency_keys (user_id, key, fingerprint, made_id, created_at)
    VALUES (:bidder, :run || '-' || :client_id || '-' || :serial, sha256('a request'), :bid, now())
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING key \gset
INSERT INTO auctions.intents (bucket, tenant_id, auction_id, id, user_id, key, kind, amount, max_amount, status, currency, created_at)
    VALUES (:bucket, :tenant, :auction, :bid, :bidder, :key, 'bid', :amount, :amount, 'open', 'USD', clock_timestamp());
INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, created_at)
    VALUES (get_byte(uuid_send(:bid::uuid), 15) & 15, :bid, 'auctions', 'hold', :bidder, sha256('a hold'), false, now())
    ON CONFLICT (bucket, business_id, context, name) DO NOTHING;
SELECT current_balance, version, held FROM wallet_balances WHERE user_id = :bidder AND currency = 'USD' FOR UPDATE \gset
\set balance :current_balance - :amount
\set held :held + :amount
\set version :version + 1
INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at)
    VALUES (:bidder, md5('hold ' || :id)::uuid, :tenant, 'auctions', :bid, :amount, 'USD', 'OPEN', 1, clock_timestamp())
    RETURNING id AS hold_id \gset
INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, business_id, hold_id)
    VALUES (:bidder, :bid, 'HOLD', :amount, 'USD', 'COMPLETED', clock_timestamp(), :bid, :hold_id);
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:bidder, :bid, 'wallet', 'USD', - :amount::bigint, :balance, :version, clock_timestamp()),
           (:bidder, :bid, 'held', 'USD', :amount, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET current_balance = :balance, held = :held, version = :version, updated_at = clock_timestamp()
    WHERE user_id = :bidder AND currency = 'USD';
UPDATE operations SET answer = :done::json
    WHERE bucket = get_byte(uuid_send(:bid::uuid), 15) & 15 AND business_id = :bid AND context = 'auctions' AND name = 'hold';
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:bidder, md5('placed ' || :id)::uuid, :hold_id, 1, 'hold.placed', :placed, :client_id % 16, clock_timestamp(), :tenant);
COMMIT;

BEGIN;
SELECT a.price, a.bid_count, a.bidder_count, a.last_event_id, a.leader_max,
       coalesce(a.leader_id, :bidder) AS outbid, coalesce(a.leader_hold_id, :bid) AS outbid_hold, clock_timestamp() AS at
    FROM auctions.auctions a WHERE a.bucket = :bucket AND a.id = :auction FOR UPDATE \gset
\set sequence :bid_count + 1
\set event :last_event_id + 1
\set price :price + 10
INSERT INTO auctions.bidders (bucket, tenant_id, auction_id, user_id, ordinal)
    VALUES (:bucket, :tenant, :auction, :bidder, :client_id + 1)
    ON CONFLICT (bucket, auction_id, user_id) DO NOTHING;
UPDATE auctions.auctions
    SET price = :price, second_max = :price - 5, bid_count = :sequence, bidder_count = :client_id + 1, last_event_id = :event,
        leader_id = :bidder, leader_ordinal = :client_id + 1, leader_bid_id = :bid, leader_max = :price,
        leader_hold_id = :hold_id, updated_at = :at::timestamptz
    WHERE bucket = :bucket AND id = :auction;
INSERT INTO auctions.bids (bucket, tenant_id, auction_id, sequence, id, user_id, ordinal, amount, max_amount, hold_id, price,
                           ends_at, leads, created_at)
    VALUES (:bucket, :tenant, :auction, :sequence, :bid, :bidder, :client_id + 1, :price, :price, :hold_id, :price, :at, true,
            :at);
DELETE FROM auctions.intents WHERE bucket = :bucket AND auction_id = :auction AND id = :bid;
INSERT INTO auctions.returns (bucket, tenant_id, auction_id, hold_id, user_id, currency, created_at)
    VALUES (:bucket, :tenant, :auction, :outbid_hold, :outbid, 'USD', clock_timestamp());
INSERT INTO auctions.events (bucket, tenant_id, auction_id, event_id, type, document, created_at)
    VALUES (:bucket, :tenant, :auction, :event, 'bid', :seen, :at);
INSERT INTO auctions.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:auction, md5('bid ' || :id)::uuid, :auction, :event, 'auction.bid', :bid_told, :bucket, :at, :tenant);
UPDATE v1_idempotency_keys
    SET response_status = 201, response_body = convert_to(:bid_answer, 'UTF8'), finalized_at = clock_timestamp()
    WHERE user_id = :bidder AND key = :key;

UPDATE holds SET status = 'RELEASED', released = amount, version = 2, closed_at = clock_timestamp()
    WHERE user_id = :outbid AND id = :outbid_hold AND closed_at IS NULL
    RETURNING amount AS back;
WITH back AS (
    SELECT amount FROM holds WHERE user_id = :outbid AND id = :outbid_hold
), wallet AS (
    UPDATE wallet_balances w SET current_balance = w.current_balance + back.amount, held = w.held - back.amount,
        version = w.version + 1, updated_at = clock_timestamp()
    FROM back WHERE w.user_id = :outbid AND w.currency = 'USD'
    RETURNING w.current_balance, w.version, back.amount
), moved AS (
    INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, business_id, hold_id)
        SELECT :outbid::uuid, md5('back ' || :id)::uuid, 'RELEASE', amount, 'USD', 'COMPLETED', clock_timestamp(), :bid::uuid,
               :outbid_hold::uuid FROM wallet
)
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    SELECT :outbid::uuid, md5('back ' || :id)::uuid, e.account, 'USD', e.sign * wallet.amount,
           CASE WHEN e.sign > 0 THEN wallet.current_balance END, CASE WHEN e.sign > 0 THEN wallet.version END, clock_timestamp()
    FROM wallet, (VALUES ('held', -1), ('wallet', 1)) AS e (account, sign);
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:outbid, md5('released ' || :id)::uuid, :outbid_hold, 2, 'hold.released', :released, :client_id % 16, clock_timestamp(), :tenant);
DELETE FROM auctions.returns WHERE bucket = :bucket AND auction_id = :auction AND hold_id = :outbid_hold;
COMMIT;
