-- Auctions. Their rows are some tenant's, as the market's are. All of an auction is in its bucket: whatever happens to it
-- is in one place.
CREATE SCHEMA auctions;
CREATE TABLE auctions.outbox_events (
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
CREATE INDEX outbox_events_unsent ON auctions.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON auctions.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON auctions.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE auctions.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO auctions.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA auctions TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON auctions.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE auctions.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON auctions.outbox_leases TO strongbox_app;

-- An auction as it stands. What it was opened with never changes, its steps and its extension included: its bids, played
-- again, give this very row, whatever the settings are by then. A price is one from the beginning: that it starts at.
CREATE TABLE auctions.auctions (
    bucket         smallint         NOT NULL,
    tenant_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    seller_id      uuid             NOT NULL,
    product_id     uuid             NOT NULL,
    title          text             NOT NULL, -- as the product was called when its piece was reserved
    category_id    uuid,
    currency       text COLLATE "C" NOT NULL,
    starting_price bigint           NOT NULL,
    reserve_price  bigint,
    buy_now_price  bigint,
    steps          text COLLATE "C" NOT NULL, -- by how much a bid has to be higher, from which price on
    extend_s       double precision NOT NULL,
    starts_at      timestamptz      NOT NULL,
    planned_end    timestamptz      NOT NULL,
    ends_at        timestamptz      NOT NULL, -- the planned end, or where bids have moved it
    status         text COLLATE "C" NOT NULL,
    price          bigint           NOT NULL,
    second_max     bigint, -- the highest maximum but the leader's
    bid_count      integer          NOT NULL, -- the last bid's sequence
    bidder_count   integer          NOT NULL, -- the last bidder's ordinal
    last_event_id  integer          NOT NULL,
    leader_id      uuid,
    leader_ordinal integer,
    leader_bid_id  uuid, -- by which the leader's maximum is what it is
    leader_max     bigint,
    leader_hold_id uuid,
    raising_bid_id uuid, -- by which the leader's hold is being made larger
    closing        text COLLATE "C", -- as what it is being closed
    closing_by     uuid,
    closing_at     timestamptz,
    winner_id      uuid,
    winner_hold_id uuid,
    sold_price     bigint,
    buyer_key      text COLLATE "C", -- of a purchase: the key that its answer is stored under once there is an order
    order_id       uuid,
    closed_at      timestamptz,
    recover_after  timestamptz,
    created_at     timestamptz      NOT NULL,
    updated_at     timestamptz      NOT NULL,
    CONSTRAINT auctions_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT auctions_bucket CHECK (bucket = get_byte(uuid_send(id), 15) & 15),
    CONSTRAINT auctions_status CHECK (status IN ('open', 'closing', 'ended', 'cancelled')),
    CONSTRAINT auctions_closing CHECK ((closing IS NOT NULL) = (status <> 'open')),
    CONSTRAINT auctions_closed CHECK ((closed_at IS NOT NULL) = (status IN ('ended', 'cancelled'))),
    CONSTRAINT auctions_prices CHECK (
        starting_price > 0 AND reserve_price >= starting_price AND buy_now_price >= starting_price
            AND buy_now_price >= reserve_price IS NOT FALSE AND price >= starting_price
    ),
    CONSTRAINT auctions_times CHECK (starts_at < planned_end AND planned_end <= ends_at),
    CONSTRAINT auctions_leader CHECK (
        num_nulls(leader_id, leader_ordinal, leader_bid_id, leader_max, leader_hold_id) IN (0, 5)
            AND (leader_id IS NULL) = (bid_count = 0) AND price <= leader_max IS NOT FALSE
            AND second_max <= leader_max IS NOT FALSE AND (raising_bid_id IS NULL OR leader_id IS NOT NULL)
    ),
    CONSTRAINT auctions_sold CHECK (
        num_nulls(winner_id, winner_hold_id, sold_price) IN (0, 3)
            AND (order_id IS NULL OR status = 'ended' AND winner_id IS NOT NULL)
            AND (status <> 'ended' OR (order_id IS NULL) = (winner_id IS NULL))
    )
) WITH (fillfactor = 50);
CREATE INDEX auctions_ending ON auctions.auctions (tenant_id, ends_at, id) WHERE status = 'open';
CREATE INDEX auctions_closing_since ON auctions.auctions (tenant_id, closing_at) WHERE status = 'closing';

-- How they are listed: by when they end, and by when they were opened. What bids change is not in them but for an end that
-- moves.
CREATE INDEX auctions_by_end ON auctions.auctions (tenant_id, ends_at, id);
CREATE INDEX auctions_newest ON auctions.auctions (tenant_id, created_at DESC, id DESC);
CREATE INDEX auctions_on_by_end ON auctions.auctions (tenant_id, ends_at, id) WHERE closed_at IS NULL;
CREATE INDEX auctions_on_newest ON auctions.auctions (tenant_id, created_at DESC, id DESC) WHERE closed_at IS NULL;
CREATE INDEX auctions_over_by_end ON auctions.auctions (tenant_id, status, ends_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX auctions_over_newest ON auctions.auctions (tenant_id, status, created_at DESC, id DESC)
    WHERE closed_at IS NOT NULL;
CREATE INDEX auctions_of_a_seller_by_end ON auctions.auctions (tenant_id, seller_id, ends_at, id);
CREATE INDEX auctions_of_a_seller_newest ON auctions.auctions (tenant_id, seller_id, created_at DESC, id DESC);
CREATE INDEX auctions_of_a_category_by_end ON auctions.auctions (tenant_id, category_id, ends_at, id);
CREATE INDEX auctions_of_a_category_newest ON auctions.auctions (tenant_id, category_id, created_at DESC, id DESC);
-- Whose they are that are not over.
CREATE INDEX auctions_on_of_sellers ON auctions.auctions (tenant_id, seller_id) WHERE closed_at IS NULL;

-- Auctions that are being opened: each is here before its piece is reserved, and is gone with what came of it. Of one that
-- is `undoing` nothing comes, whatever is reserved for it by then.
CREATE TABLE auctions.openings (
    bucket        smallint         NOT NULL,
    tenant_id     uuid             NOT NULL,
    auction_id    uuid             NOT NULL,
    status        text COLLATE "C" NOT NULL DEFAULT 'open',
    recover_after timestamptz,
    created_at    timestamptz      NOT NULL,
    CONSTRAINT openings_pkey PRIMARY KEY (bucket, auction_id),
    CONSTRAINT openings_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15),
    CONSTRAINT openings_status CHECK (status IN ('open', 'undoing'))
) WITH (fillfactor = 85);
CREATE INDEX openings_since ON auctions.openings (tenant_id, created_at);

-- Who bids, in the order of their first bids: all that others see of them is the number.
CREATE TABLE auctions.bidders (
    bucket     smallint NOT NULL,
    tenant_id  uuid     NOT NULL,
    auction_id uuid     NOT NULL,
    user_id    uuid     NOT NULL,
    ordinal    integer  NOT NULL,
    CONSTRAINT bidders_pkey PRIMARY KEY (bucket, auction_id, user_id),
    CONSTRAINT bidders_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15),
    CONSTRAINT bidders_ordinals UNIQUE (bucket, auction_id, ordinal)
);

-- Bids that count, the leader's own raises among them. Nothing of them ever changes.
CREATE TABLE auctions.bids (
    bucket     smallint    NOT NULL,
    tenant_id  uuid        NOT NULL,
    auction_id uuid        NOT NULL,
    sequence   integer     NOT NULL,
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    ordinal    integer     NOT NULL,
    amount     bigint      NOT NULL,
    max_amount bigint      NOT NULL,
    hold_id    uuid        NOT NULL,
    price      bigint      NOT NULL, -- behind it
    ends_at    timestamptz NOT NULL, -- behind it
    leads      boolean     NOT NULL, -- behind it
    created_at timestamptz NOT NULL, -- by the database's clock, read once the auction's row was locked
    CONSTRAINT bids_pkey PRIMARY KEY (bucket, auction_id, sequence),
    CONSTRAINT bids_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15),
    CONSTRAINT bids_amounts CHECK (amount > 0 AND max_amount >= amount)
);

-- Bids and purchases that are under way: each is here before its maximum is held, and is gone with what came of it.
CREATE TABLE auctions.intents (
    bucket        smallint         NOT NULL,
    tenant_id     uuid             NOT NULL,
    auction_id    uuid             NOT NULL,
    id            uuid             NOT NULL,
    user_id       uuid             NOT NULL,
    key           text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    amount        bigint           NOT NULL,
    max_amount    bigint           NOT NULL,
    hold_id       uuid, -- of a raise: the leader's, which is being made larger
    status        text COLLATE "C" NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    traceparent   text,
    recover_after timestamptz,
    created_at    timestamptz      NOT NULL,
    CONSTRAINT intents_pkey PRIMARY KEY (bucket, auction_id, id),
    CONSTRAINT intents_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15),
    CONSTRAINT intents_kind CHECK (kind IN ('bid', 'raise', 'buy') AND (kind = 'raise') = (hold_id IS NOT NULL)),
    CONSTRAINT intents_status CHECK (status IN ('open', 'undoing')),
    CONSTRAINT intents_amounts CHECK (amount > 0 AND max_amount >= amount)
) WITH (fillfactor = 85);
CREATE INDEX intents_since ON auctions.intents (tenant_id, created_at);

-- Holds that are for nothing any more: here from the transaction that decides so until they are released.
CREATE TABLE auctions.returns (
    bucket        smallint         NOT NULL,
    tenant_id     uuid             NOT NULL,
    auction_id    uuid             NOT NULL,
    hold_id       uuid             NOT NULL,
    user_id       uuid             NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    recover_after timestamptz,
    created_at    timestamptz      NOT NULL,
    CONSTRAINT returns_pkey PRIMARY KEY (bucket, auction_id, hold_id),
    CONSTRAINT returns_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15)
) WITH (fillfactor = 85);
CREATE INDEX returns_since ON auctions.returns (tenant_id, created_at);

-- All that happened to an auction, as watchers are told of it: `document` is what they see from then on.
CREATE TABLE auctions.events (
    bucket     smallint         NOT NULL,
    tenant_id  uuid             NOT NULL,
    auction_id uuid             NOT NULL,
    event_id   integer          NOT NULL,
    type       text COLLATE "C" NOT NULL,
    document   json             NOT NULL,
    created_at timestamptz      NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (bucket, auction_id, event_id),
    CONSTRAINT events_bucket CHECK (bucket = get_byte(uuid_send(auction_id), 15) & 15)
);

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

GRANT SELECT, INSERT ON auctions.auctions, auctions.bidders, auctions.bids, auctions.events TO strongbox_app;
GRANT UPDATE (ends_at, status, price, second_max, bid_count, bidder_count, last_event_id, leader_id, leader_ordinal,
              leader_bid_id, leader_max, leader_hold_id, raising_bid_id, closing, closing_by, closing_at, winner_id,
              winner_hold_id, sold_price, buyer_key, order_id, closed_at, recover_after, updated_at)
    ON auctions.auctions TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON auctions.openings, auctions.intents, auctions.returns TO strongbox_app;
GRANT UPDATE (status, recover_after) ON auctions.openings TO strongbox_app;
GRANT UPDATE (kind, hold_id, status, recover_after) ON auctions.intents TO strongbox_app;
GRANT UPDATE (recover_after) ON auctions.returns TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['auctions', 'bidders', 'bids', 'openings', 'intents', 'returns', 'events'] LOOP
        EXECUTE format('ALTER TABLE auctions.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE auctions.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON auctions.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
