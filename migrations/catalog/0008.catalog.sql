-- The catalogue. Its rows are some tenant's, seen and written by whoever has said inside the transaction whose they are
-- to be. Keys of what grows begin with a bucket: that of the last byte of whoever or whatever owns the row.
CREATE SCHEMA catalog;
CREATE TABLE catalog.outbox_events (
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
CREATE INDEX outbox_events_unsent ON catalog.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON catalog.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON catalog.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE catalog.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO catalog.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA catalog TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE catalog.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON catalog.outbox_leases TO strongbox_app;

-- A tree. Those that were deleted stay for whatever names them.
CREATE TABLE catalog.categories (
    tenant_id   uuid             NOT NULL,
    id          uuid             NOT NULL,
    parent_id   uuid,
    name        text             NOT NULL,
    slug        text COLLATE "C" NOT NULL,
    description text,
    image_url   text,
    sort_order  integer          NOT NULL DEFAULT 0,
    is_active   boolean          NOT NULL DEFAULT true,
    created_at  timestamptz      NOT NULL,
    updated_at  timestamptz      NOT NULL,
    deleted_at  timestamptz,
    CONSTRAINT categories_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT categories_parent_fkey FOREIGN KEY (tenant_id, parent_id) REFERENCES catalog.categories (tenant_id, id)
);
CREATE UNIQUE INDEX categories_slug ON catalog.categories (tenant_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX categories_below ON catalog.categories (tenant_id, parent_id);

-- What is for sale. `quantity` is what is left, with what is `reserved` of it; `put_in` is all that there ever was. The
-- version moves with whatever changes the row, `edits` with what its seller changes: it is the newest event's sequence.
CREATE TABLE catalog.products (
    bucket         smallint         NOT NULL,
    tenant_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    seller_id      uuid             NOT NULL,
    category_id    uuid,
    title          text             NOT NULL,
    description    text             NOT NULL,
    condition      text COLLATE "C" NOT NULL,
    price          bigint           NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    quantity       bigint           NOT NULL,
    reserved       bigint           NOT NULL DEFAULT 0,
    sold           bigint           NOT NULL DEFAULT 0,
    put_in         bigint           NOT NULL,
    images         text[]           NOT NULL,
    video_url      text,
    specifications json             NOT NULL,
    shipping_info  json             NOT NULL,
    featured       boolean          NOT NULL,
    is_active      boolean          NOT NULL,
    version        bigint           NOT NULL DEFAULT 1,
    edits          bigint           NOT NULL DEFAULT 1,
    created_at     timestamptz      NOT NULL,
    updated_at     timestamptz      NOT NULL,
    deleted_at     timestamptz,
    CONSTRAINT products_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT products_bucket CHECK (bucket = get_byte(uuid_send(id), 15) & 15),
    CONSTRAINT products_condition CHECK (condition IN ('new', 'like_new', 'good', 'fair', 'poor')),
    CONSTRAINT products_price CHECK (price > 0),
    CONSTRAINT products_stock CHECK (reserved BETWEEN 0 AND quantity AND sold >= 0 AND sold + quantity = put_in)
) WITH (fillfactor = 70);

-- How they are listed. None of this changes with the stock, nor is any of it a condition of one.
CREATE INDEX products_newest ON catalog.products (tenant_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND is_active;
CREATE INDEX products_featured ON catalog.products (tenant_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND is_active AND featured;
CREATE INDEX products_by_price ON catalog.products (tenant_id, currency, price, id)
    WHERE deleted_at IS NULL AND is_active;
CREATE INDEX products_of_a_condition ON catalog.products (tenant_id, condition, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND is_active;
CREATE INDEX products_of_a_category ON catalog.products (tenant_id, category_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX products_of_a_category_by_price ON catalog.products (tenant_id, category_id, currency, price, id)
    WHERE deleted_at IS NULL AND is_active;
CREATE INDEX products_of_a_seller ON catalog.products (tenant_id, seller_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- What is searched. Under row-level security no index serves `document @@ query`, which is not leakproof: what may be
-- found is looked up by its lexemes, each of which has a row for each product that it is in.
CREATE TABLE catalog.product_documents (
    bucket     smallint NOT NULL,
    tenant_id  uuid     NOT NULL,
    product_id uuid     NOT NULL,
    document   tsvector NOT NULL,
    CONSTRAINT product_documents_pkey PRIMARY KEY (bucket, product_id),
    CONSTRAINT product_documents_bucket CHECK (bucket = get_byte(uuid_send(product_id), 15) & 15)
);
CREATE TABLE catalog.product_lexemes (
    bucket     smallint         NOT NULL,
    tenant_id  uuid             NOT NULL,
    product_id uuid             NOT NULL,
    lexeme     text COLLATE "C" NOT NULL,
    rank       real             NOT NULL,
    created_at timestamptz      NOT NULL,
    CONSTRAINT product_lexemes_pkey PRIMARY KEY (bucket, product_id, lexeme)
);
CREATE INDEX product_lexemes_by_rank
    ON catalog.product_lexemes (tenant_id, lexeme, rank DESC, created_at DESC, product_id DESC);

-- A reservation happened once, or never will. Its bucket is its business's. One that was refused keeps what of it was
-- not there: {product: available}.
CREATE TABLE catalog.reservations (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    context     text COLLATE "C" NOT NULL,
    business_id uuid             NOT NULL,
    name        text COLLATE "C" NOT NULL,
    fingerprint bytea,
    forbidden   boolean          NOT NULL,
    buyer_id    uuid,
    pinned      boolean          NOT NULL DEFAULT false,
    refused     json,
    created_at  timestamptz      NOT NULL,
    CONSTRAINT reservations_pkey PRIMARY KEY (bucket, tenant_id, business_id, context, name),
    CONSTRAINT reservations_bucket CHECK (bucket = get_byte(uuid_send(business_id), 15) & 15),
    CONSTRAINT reservations_forbidden CHECK (forbidden = (fingerprint IS NULL) AND (refused IS NULL OR NOT forbidden))
) WITH (fillfactor = 85);
CREATE TABLE catalog.reservation_lines (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    context     text COLLATE "C" NOT NULL,
    business_id uuid             NOT NULL,
    name        text COLLATE "C" NOT NULL,
    product_id  uuid             NOT NULL,
    qty         bigint           NOT NULL,
    status      text COLLATE "C" NOT NULL,
    seller_id   uuid             NOT NULL,
    title       text             NOT NULL,
    price       bigint           NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    -- Kept, as row-level security keeps an index from what is only computed when it is looked for.
    product_bucket smallint GENERATED ALWAYS AS ((get_byte(uuid_send(product_id), 15) & 15)::smallint) STORED,
    CONSTRAINT reservation_lines_pkey PRIMARY KEY (bucket, tenant_id, business_id, context, name, product_id),
    CONSTRAINT reservation_lines_of_a_reservation FOREIGN KEY (bucket, tenant_id, business_id, context, name)
        REFERENCES catalog.reservations (bucket, tenant_id, business_id, context, name),
    CONSTRAINT reservation_lines_qty CHECK (qty > 0),
    CONSTRAINT reservation_lines_status CHECK (status IN ('RESERVED', 'TAKEN', 'RETURNED'))
) WITH (fillfactor = 85);
CREATE INDEX reservation_lines_reserved ON catalog.reservation_lines (tenant_id, product_id, business_id)
    WHERE status = 'RESERVED';
-- What operators read: all that ever was reserved of a product, the newest first. It does not begin with the tenant:
-- without statistics it would look as good as the key to whoever moves stock, and has all of the tenant's lines.
CREATE INDEX reservation_lines_of_a_product ON catalog.reservation_lines (product_id, business_id);

-- Who bought what, which is what is recommended by, and how often they did and did not give it back.
CREATE TABLE catalog.purchases (
    bucket       smallint    NOT NULL,
    tenant_id    uuid        NOT NULL,
    buyer_id     uuid        NOT NULL,
    product_id   uuid        NOT NULL,
    purchased_at timestamptz NOT NULL,
    times        bigint      NOT NULL DEFAULT 1,
    CONSTRAINT purchases_pkey PRIMARY KEY (bucket, buyer_id, product_id),
    CONSTRAINT purchases_bucket CHECK (bucket = get_byte(uuid_send(buyer_id), 15) & 15)
);
CREATE INDEX purchases_of_a_product ON catalog.purchases (tenant_id, product_id, purchased_at DESC);
CREATE INDEX purchases_of_a_buyer ON catalog.purchases (tenant_id, buyer_id, purchased_at DESC);

-- Views are counted apart: they change neither a product nor its version.
CREATE TABLE catalog.product_views (
    bucket     smallint NOT NULL,
    tenant_id  uuid     NOT NULL,
    product_id uuid     NOT NULL,
    views      bigint   NOT NULL,
    CONSTRAINT product_views_pkey PRIMARY KEY (bucket, product_id),
    CONSTRAINT product_views_bucket CHECK (bucket = get_byte(uuid_send(product_id), 15) & 15)
) WITH (fillfactor = 50);

-- What the cache has to forget, until it has.
CREATE TABLE catalog.cache_deletions (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    keys       text[]      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT cache_deletions_pkey PRIMARY KEY (tenant_id, id)
);

GRANT SELECT, INSERT ON catalog.categories TO strongbox_app;
GRANT UPDATE (parent_id, name, slug, description, image_url, sort_order, is_active, updated_at, deleted_at)
    ON catalog.categories TO strongbox_app;
GRANT SELECT, INSERT ON catalog.products TO strongbox_app;
GRANT UPDATE (category_id, title, description, condition, price, currency, quantity, reserved, sold, put_in, images,
              video_url, specifications, shipping_info, featured, is_active, version, edits, updated_at, deleted_at)
    ON catalog.products TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.product_documents TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON catalog.product_lexemes TO strongbox_app;
GRANT SELECT, INSERT ON catalog.reservations, catalog.reservation_lines TO strongbox_app;
GRANT UPDATE (refused) ON catalog.reservations TO strongbox_app;
GRANT UPDATE (status) ON catalog.reservation_lines TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.purchases TO strongbox_app;
GRANT SELECT, INSERT, UPDATE ON catalog.product_views TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON catalog.cache_deletions TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['categories', 'products', 'product_documents', 'product_lexemes', 'reservations',
                                'reservation_lines', 'purchases', 'product_views', 'cache_deletions'] LOOP
        EXECUTE format('ALTER TABLE catalog.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE catalog.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON catalog.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
