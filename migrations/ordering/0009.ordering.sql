-- Carts and orders. Their rows are some tenant's, as the catalogue's are. All of a buyer's is in the buyer's bucket: what
-- is ordered at once is in one place.
CREATE SCHEMA ordering;
CREATE TABLE ordering.outbox_events (
    user_id    uuid        NOT NULL,
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id   uuid        NOT NULL,
    subject    uuid        NOT NULL,
    sequence   smallint    NOT NULL,
    type       text        NOT NULL,
    payload    json        NOT NULL,
    partition  smallint    NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    retry_at   timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz,
    tenant_id  uuid,
    CONSTRAINT outbox_events_pkey PRIMARY KEY (subject, sequence, user_id)
) WITH (fillfactor = 85);

-- What a relay polls: a partition's unsent events in id order. Sent events are not in it.
CREATE INDEX outbox_events_unsent ON ordering.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON ordering.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON ordering.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE ordering.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO ordering.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA ordering TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ordering.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE ordering.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON ordering.outbox_leases TO strongbox_app;

-- A user has one cart that is open. One that is being checked out says by which checkout.
CREATE TABLE ordering.carts (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    user_id     uuid             NOT NULL,
    id          uuid             NOT NULL,
    currency    text COLLATE "C",
    status      text COLLATE "C" NOT NULL,
    checkout_id uuid,
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL,
    CONSTRAINT carts_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT carts_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT carts_status CHECK (status IN ('active', 'checked_out')),
    CONSTRAINT carts_checked_out CHECK (status = 'active' OR checkout_id IS NOT NULL)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX carts_one_active ON ordering.carts (bucket, user_id) WHERE status = 'active';

CREATE TABLE ordering.cart_items (
    bucket     smallint         NOT NULL,
    tenant_id  uuid             NOT NULL,
    user_id    uuid             NOT NULL,
    cart_id    uuid             NOT NULL,
    id         uuid             NOT NULL,
    product_id uuid             NOT NULL,
    title      text             NOT NULL, -- as it was when it was put in: what is shown of what has gone since
    price      bigint           NOT NULL,
    qty        integer          NOT NULL,
    created_at timestamptz      NOT NULL,
    CONSTRAINT cart_items_pkey PRIMARY KEY (bucket, user_id, cart_id, id),
    CONSTRAINT cart_items_of_a_product UNIQUE (bucket, user_id, cart_id, product_id),
    CONSTRAINT cart_items_of_a_cart FOREIGN KEY (bucket, user_id, cart_id)
        REFERENCES ordering.carts (bucket, user_id, id) ON DELETE CASCADE,
    CONSTRAINT cart_items_qty CHECK (qty BETWEEN 1 AND 1000)
) WITH (fillfactor = 85);

-- A checkout is the intent: its id is the business that catalogue and funds know its reservation and its holds by.
CREATE TABLE ordering.checkouts (
    bucket         smallint         NOT NULL,
    tenant_id      uuid             NOT NULL,
    user_id        uuid             NOT NULL,
    id             uuid             NOT NULL,
    cart_id        uuid,
    key            text COLLATE "C",
    expected_total bigint           NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    lines          json             NOT NULL,
    status         text COLLATE "C" NOT NULL,
    sale_context   text COLLATE "C", -- of what was sold elsewhere: what the stock knows it by
    sale_id        uuid,
    sale_name      text COLLATE "C",
    traceparent    text,
    recover_after  timestamptz,
    created_at     timestamptz      NOT NULL,
    updated_at     timestamptz      NOT NULL,
    CONSTRAINT checkouts_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT checkouts_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT checkouts_status CHECK (status IN ('pending', 'paid', 'cancelled')),
    CONSTRAINT checkouts_source CHECK ((cart_id IS NULL) = (key IS NULL) AND (cart_id IS NULL) = (sale_id IS NOT NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX checkouts_of_a_sale ON ordering.checkouts (bucket, user_id, sale_id, sale_context, sale_name)
    WHERE sale_id IS NOT NULL;
CREATE INDEX checkouts_pending ON ordering.checkouts (tenant_id, created_at) WHERE status = 'pending';

CREATE TABLE ordering.orders (
    bucket        smallint         NOT NULL,
    tenant_id     uuid             NOT NULL,
    user_id       uuid             NOT NULL,
    id            uuid             NOT NULL,
    checkout_id   uuid             NOT NULL,
    seller_id     uuid             NOT NULL,
    items         json             NOT NULL,
    total         bigint           NOT NULL,
    fee           bigint           NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    status        text COLLATE "C" NOT NULL,
    hold_id       uuid,
    tracking      text,
    closing       text COLLATE "C",
    closing_by    uuid,
    closing_at    timestamptz,
    recover_after timestamptz,
    reason        text,
    house_user_id uuid             NOT NULL,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL,
    paid_at       timestamptz,
    shipped_at    timestamptz,
    CONSTRAINT orders_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT orders_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT orders_status CHECK (status IN ('pending', 'paid', 'shipped', 'completed', 'cancelled')),
    CONSTRAINT orders_closing CHECK (closing IN ('ship', 'cancel') AND status = 'paid' OR closing IS NULL),
    CONSTRAINT orders_paid CHECK (
        (hold_id IS NULL) = (paid_at IS NULL) AND (hold_id IS NOT NULL OR status IN ('pending', 'cancelled'))
    ),
    CONSTRAINT orders_amounts CHECK (total > 0 AND fee BETWEEN 0 AND total)
) WITH (fillfactor = 70);
CREATE INDEX orders_by_id ON ordering.orders (tenant_id, id);
CREATE INDEX orders_of_a_buyer ON ordering.orders (tenant_id, user_id, created_at DESC, id DESC);
CREATE INDEX orders_of_a_seller ON ordering.orders (tenant_id, seller_id, created_at DESC, id DESC);
CREATE INDEX orders_newest_first ON ordering.orders (tenant_id, created_at DESC, id DESC);
CREATE INDEX orders_closing_since ON ordering.orders (tenant_id, closing_at) WHERE closing IS NOT NULL;
CREATE INDEX orders_paid_since ON ordering.orders (tenant_id, paid_at) WHERE status = 'paid';
CREATE INDEX orders_shipped_since ON ordering.orders (tenant_id, shipped_at) WHERE status = 'shipped';
-- The last: of indexes that look alike, as all do before there are statistics, the planner takes the youngest, and it is
-- this that a checkout's orders are found along.
CREATE UNIQUE INDEX orders_one_a_seller ON ordering.orders (bucket, user_id, checkout_id, seller_id);

-- The keys of /v1: one namespace for each who asks, whatever is asked; in a database that ordering shares with funds it
-- is there already.
CREATE TABLE IF NOT EXISTS public.v1_idempotency_keys (
    user_id         uuid             NOT NULL,
    key             text COLLATE "C" NOT NULL,
    fingerprint     bytea            NOT NULL,
    made_id         uuid,
    response_status smallint,
    response_body   bytea,
    created_at      timestamptz      NOT NULL,
    finalized_at    timestamptz,
    CONSTRAINT v1_idempotency_keys_pkey PRIMARY KEY (user_id, key),
    CONSTRAINT v1_idempotency_keys_final CHECK (
        (finalized_at IS NULL) = (response_status IS NULL) AND (finalized_at IS NULL) = (response_body IS NULL)
    )
) WITH (fillfactor = 67);
CREATE INDEX IF NOT EXISTS v1_idempotency_keys_finalized ON public.v1_idempotency_keys (finalized_at)
    WHERE finalized_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.v1_idempotency_keys TO strongbox_app;

GRANT SELECT, INSERT ON ordering.carts TO strongbox_app;
GRANT UPDATE (currency, status, checkout_id, updated_at) ON ordering.carts TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON ordering.cart_items TO strongbox_app;
GRANT UPDATE (title, price, qty) ON ordering.cart_items TO strongbox_app;
GRANT SELECT, INSERT ON ordering.checkouts, ordering.orders TO strongbox_app;
GRANT UPDATE (status, recover_after, updated_at) ON ordering.checkouts TO strongbox_app;
GRANT UPDATE (status, fee, hold_id, tracking, closing, closing_by, closing_at, recover_after, reason, updated_at,
              paid_at, shipped_at)
    ON ordering.orders TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['carts', 'cart_items', 'checkouts', 'orders'] LOOP
        EXECUTE format('ALTER TABLE ordering.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE ordering.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON ordering.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
