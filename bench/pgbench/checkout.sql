-- A piece of a product into a cart and the cart to its order, in two transactions, a statement after the other, for one
-- checkout at a time: the rows that the service writes in the catalogue, ordering and funds, with documents as long as
-- its own. Each client is a buyer of its own. Given: run, products (1: everybody buys the same), tenant, lines, items,
-- placed, done, paid, checked_out; serial = 0.
\set product random(0, :products - 1)
\set serial :serial + 1
\set id (:run * 1000 + :client_id) * 1000000000 + :serial

BEGIN;
SELECT p.bucket AS product_bucket, p.id AS product_id, p.seller_id, p.title, p.price
    FROM (SELECT md5('product ' || :product)::uuid AS id) AS r
    JOIN catalog.products p ON p.bucket = (get_byte(uuid_send(r.id), 15) & 15)::smallint AND p.id = r.id \gset
INSERT INTO ordering.carts (bucket, tenant_id, user_id, id, status, created_at, updated_at)
    SELECT get_byte(uuid_send(r.user_id), 15) & 15, :tenant::uuid, r.user_id, md5('cart ' || :id)::uuid, 'active',
           clock_timestamp(), clock_timestamp()
    FROM (SELECT md5('user ' || :client_id)::uuid) AS r (user_id)
    ON CONFLICT (bucket, user_id) WHERE status = 'active' DO NOTHING
    RETURNING bucket, user_id AS buyer, id AS cart \gset
SELECT id FROM ordering.carts WHERE bucket = :bucket AND user_id = :buyer AND status = 'active' FOR UPDATE;
UPDATE ordering.carts SET currency = 'USD', updated_at = clock_timestamp()
    WHERE bucket = :bucket AND user_id = :buyer AND id = :cart;
INSERT INTO ordering.cart_items (bucket, tenant_id, user_id, cart_id, id, product_id, title, price, qty, created_at)
    VALUES (:bucket, :tenant, :buyer, :cart, md5('item ' || :id)::uuid, :product_id, :title, :price, 1, clock_timestamp());

INSERT INTO v1_idempotency_keys (user_id, key, fingerprint, made_id, created_at)
    VALUES (:buyer, :run || '-' || :client_id || '-' || :serial, sha256('a request'), lpad(:id::text, 32, '0')::uuid, now())
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING key, made_id AS checkout \gset
SELECT product_id, qty FROM ordering.cart_items WHERE bucket = :bucket AND user_id = :buyer AND cart_id = :cart;
INSERT INTO ordering.checkouts (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency, lines, status,
                                created_at, updated_at)
    VALUES (:bucket, :tenant, :buyer, :checkout, :cart, :key, :price, 'USD', :lines, 'pending', clock_timestamp(),
            clock_timestamp());
UPDATE ordering.carts SET checkout_id = :checkout WHERE bucket = :bucket AND user_id = :buyer AND id = :cart;
INSERT INTO catalog.reservations (bucket, tenant_id, context, business_id, name, fingerprint, forbidden, buyer_id, created_at)
    VALUES (get_byte(uuid_send(:checkout::uuid), 15) & 15, :tenant, 'ordering', :checkout, 'reserve', sha256('a cart'),
            false, :buyer, now())
    ON CONFLICT (bucket, tenant_id, business_id, context, name) DO NOTHING
    RETURNING bucket AS made_bucket \gset
SELECT reserved FROM catalog.products WHERE bucket = :product_bucket AND id = :product_id FOR NO KEY UPDATE \gset
\set reserved :reserved + 1
UPDATE catalog.products SET reserved = :reserved, version = version + 1, updated_at = clock_timestamp()
    WHERE bucket = :product_bucket AND id = :product_id;
INSERT INTO catalog.reservation_lines (bucket, tenant_id, context, business_id, name, product_id, qty, status, seller_id,
                                       title, price, currency)
    VALUES (:made_bucket, :tenant, 'ordering', :checkout, 'reserve', :product_id, 1, 'RESERVED', :seller_id, :title, :price,
            'USD');
INSERT INTO catalog.cache_deletions (tenant_id, id, keys)
    VALUES (:tenant, md5('reserved ' || :id)::uuid, ARRAY['product:' || :product_id]);
INSERT INTO ordering.orders (bucket, tenant_id, user_id, id, checkout_id, seller_id, items, total, fee, currency, status,
                             house_user_id, created_at, updated_at)
    VALUES (:bucket, :tenant, :buyer, md5('order ' || :id)::uuid, :checkout, :seller_id, :items, :price, 0, 'USD', 'pending',
            :tenant, clock_timestamp(), clock_timestamp())
    RETURNING id AS order_id \gset
COMMIT;

BEGIN;
INSERT INTO operations (bucket, business_id, context, name, user_id, fingerprint, forbidden, created_at)
    VALUES (get_byte(uuid_send(:checkout::uuid), 15) & 15, :checkout, 'ordering', 'hold', :buyer, sha256('a hold'), false, now())
    ON CONFLICT (bucket, business_id, context, name) DO NOTHING;
SELECT current_balance, version, held FROM wallet_balances WHERE user_id = :buyer AND currency = 'USD' FOR UPDATE \gset
\set balance :current_balance - :price
\set held :held + :price
\set version :version + 1
INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at)
    VALUES (:buyer, md5('hold ' || :id)::uuid, :tenant, 'ordering', :checkout, :price, 'USD', 'OPEN', 1, clock_timestamp())
    RETURNING id AS hold_id \gset
INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at, business_id, hold_id)
    VALUES (:buyer, :checkout, 'HOLD', :price, 'USD', 'COMPLETED', clock_timestamp(), :checkout, :hold_id);
INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version, created_at)
    VALUES (:buyer, :checkout, 'wallet', 'USD', - :price::bigint, :balance, :version, clock_timestamp()),
           (:buyer, :checkout, 'held', 'USD', :price, NULL, NULL, clock_timestamp());
UPDATE wallet_balances SET current_balance = :balance, held = :held, version = :version, updated_at = clock_timestamp()
    WHERE user_id = :buyer AND currency = 'USD';
UPDATE operations SET answer = :done::json
    WHERE bucket = get_byte(uuid_send(:checkout::uuid), 15) & 15 AND business_id = :checkout AND context = 'ordering'
        AND name = 'hold';
INSERT INTO funds.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:buyer, md5('placed ' || :id)::uuid, :hold_id, 1, 'hold.placed', :placed, :client_id % 16, clock_timestamp(), :tenant);

SELECT buyer_id FROM catalog.reservations
    WHERE bucket = :made_bucket AND tenant_id = :tenant AND business_id = :checkout AND context = 'ordering' AND name = 'reserve'
    FOR NO KEY UPDATE;
SELECT quantity, reserved, sold FROM catalog.products WHERE bucket = :product_bucket AND id = :product_id FOR NO KEY UPDATE \gset
\set quantity :quantity - 1
\set reserved :reserved - 1
\set sold :sold + 1
UPDATE catalog.products
    SET quantity = :quantity, reserved = :reserved, sold = :sold, version = version + 1, updated_at = clock_timestamp()
    WHERE bucket = :product_bucket AND id = :product_id;
UPDATE catalog.reservation_lines SET status = 'TAKEN'
    WHERE bucket = :made_bucket AND tenant_id = :tenant AND business_id = :checkout AND context = 'ordering' AND name = 'reserve'
        AND product_id = :product_id;
INSERT INTO catalog.purchases (bucket, tenant_id, buyer_id, product_id, purchased_at)
    VALUES (:bucket, :tenant, :buyer, :product_id, clock_timestamp())
    ON CONFLICT (bucket, buyer_id, product_id) DO UPDATE SET purchased_at = excluded.purchased_at;
INSERT INTO catalog.cache_deletions (tenant_id, id, keys)
    VALUES (:tenant, md5('taken ' || :id)::uuid, ARRAY['product:' || :product_id]);

SELECT status FROM ordering.checkouts WHERE bucket = :bucket AND user_id = :buyer AND id = :checkout FOR UPDATE;
UPDATE ordering.orders SET status = 'paid', hold_id = :hold_id, paid_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE bucket = :bucket AND user_id = :buyer AND id = :order_id;
UPDATE ordering.checkouts SET status = 'paid', updated_at = clock_timestamp()
    WHERE bucket = :bucket AND user_id = :buyer AND id = :checkout;
UPDATE ordering.carts SET status = 'checked_out', updated_at = clock_timestamp()
    WHERE bucket = :bucket AND user_id = :buyer AND id = :cart;
INSERT INTO ordering.outbox_events (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)
    VALUES (:buyer, md5('paid ' || :id)::uuid, :order_id, 1, 'order.paid', :paid, :client_id % 16, clock_timestamp(), :tenant);
UPDATE v1_idempotency_keys
    SET response_status = 201, response_body = convert_to(:checked_out, 'UTF8'), finalized_at = clock_timestamp()
    WHERE user_id = :buyer AND key = :key;
DELETE FROM catalog.cache_deletions
    WHERE tenant_id = :tenant AND id IN (md5('reserved ' || :id)::uuid, md5('taken ' || :id)::uuid);
COMMIT;
