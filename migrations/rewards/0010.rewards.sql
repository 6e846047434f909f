-- Cashback: what rules give for what is bought, in whole base units of a token, up to 2^256-1. Its rows are some tenant's.
-- All of a user's is in the user's bucket; what is bought is in the bucket of its reference, which it is unique by.
CREATE SCHEMA rewards;
CREATE TABLE rewards.outbox_events (
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
CREATE INDEX outbox_events_unsent ON rewards.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON rewards.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON rewards.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE rewards.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO rewards.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA rewards TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rewards.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE rewards.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON rewards.outbox_leases TO strongbox_app;

-- What was heard. These three belong to nobody: an event's tenant may be known later than the event.
CREATE TABLE rewards.processed_events (
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT processed_events_pkey PRIMARY KEY (event_id)
);
CREATE INDEX processed_events_received ON rewards.processed_events (received_at);
-- Whose a user is, for events that do not say so; nobody's yet, while something waits for that.
CREATE TABLE rewards.whereabouts (
    user_id uuid NOT NULL,
    tenant  uuid,
    CONSTRAINT whereabouts_pkey PRIMARY KEY (user_id)
);
CREATE TABLE rewards.parked_events (
    user_id   uuid             NOT NULL,
    event_id  uuid             NOT NULL,
    source    text COLLATE "C" NOT NULL,
    merchant  text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    amount    bigint           NOT NULL,
    currency  text COLLATE "C" NOT NULL,
    at        timestamptz      NOT NULL,
    CONSTRAINT parked_events_pkey PRIMARY KEY (user_id, event_id)
);

CREATE TABLE rewards.rules (
    tenant_id    uuid             NOT NULL,
    id           uuid             NOT NULL,
    basis_points integer          NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    category     text COLLATE "C",
    merchant     text COLLATE "C",
    starts_at    timestamptz,
    ends_at      timestamptz,
    cap          numeric(78),
    min_amount   bigint,
    is_active    boolean          NOT NULL,
    created_at   timestamptz      NOT NULL,
    updated_at   timestamptz      NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT rules_basis_points CHECK (basis_points BETWEEN 1 AND 10000),
    CONSTRAINT rules_time CHECK (ends_at > starts_at),
    CONSTRAINT rules_cap CHECK (cap >= 0)
);
CREATE INDEX rules_in_force ON rewards.rules (tenant_id, currency) WHERE is_active;

-- Where somebody stands: what their lines add up to. Whoever changes it holds this row.
CREATE TABLE rewards.users (
    bucket     smallint    NOT NULL,
    tenant_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    address    text COLLATE "C",
    heard      integer     NOT NULL DEFAULT 0, -- the newest event of the user that is known
    accrued    numeric(78) NOT NULL DEFAULT 0,
    minting    numeric(78) NOT NULL DEFAULT 0,
    minted     numeric(78) NOT NULL DEFAULT 0,
    debt       numeric(78) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT users_pkey PRIMARY KEY (bucket, tenant_id, user_id),
    CONSTRAINT users_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT users_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
    CONSTRAINT users_amounts CHECK (accrued >= 0 AND minting >= 0 AND minted >= 0 AND debt >= 0),
    CONSTRAINT users_pay_first CHECK (accrued = 0 OR debt = 0)
) WITH (fillfactor = 70);

CREATE TABLE rewards.purchases (
    bucket     smallint         NOT NULL,
    tenant_id  uuid             NOT NULL,
    merchant   text COLLATE "C" NOT NULL,
    reference  text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    user_id    uuid             NOT NULL,
    source     text COLLATE "C" NOT NULL,
    category   text COLLATE "C",
    amount     bigint           NOT NULL,
    currency   text COLLATE "C" NOT NULL,
    at         timestamptz      NOT NULL,
    entry_id   uuid, -- what it has earned, by which rule, and where that stood first
    cashback   numeric(78),
    rule_id    uuid,
    status     text COLLATE "C",
    created_at timestamptz      NOT NULL,
    CONSTRAINT purchases_pkey PRIMARY KEY (bucket, tenant_id, merchant, reference),
    CONSTRAINT purchases_bucket CHECK (
        bucket = get_byte(sha256(convert_to(merchant || E'\n' || reference, 'UTF8')), 31) & 15
    ),
    CONSTRAINT purchases_source CHECK (source IN ('purchase', 'payment', 'order')),
    CONSTRAINT purchases_amount CHECK (amount > 0),
    CONSTRAINT purchases_cashback CHECK (
        cashback > 0 AND entry_id IS NOT NULL AND rule_id IS NOT NULL AND status IS NOT NULL
        OR cashback IS NULL AND entry_id IS NULL AND rule_id IS NULL AND status IS NULL
    )
);
CREATE INDEX purchases_by_id ON rewards.purchases (tenant_id, id);

CREATE TABLE rewards.refunds (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    user_id     uuid             NOT NULL,
    purchase_id uuid             NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    id          uuid             NOT NULL,
    amount      bigint           NOT NULL,
    reversed    numeric(78)      NOT NULL,
    created_at  timestamptz      NOT NULL,
    CONSTRAINT refunds_pkey PRIMARY KEY (bucket, user_id, purchase_id, reference),
    CONSTRAINT refunds_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT refunds_amounts CHECK (amount > 0 AND reversed >= 0)
);

-- What was earned at once, and where that is. What is neither accrued nor being minted nor minted has paid debts, or
-- was taken back.
CREATE TABLE rewards.entries (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    user_id     uuid             NOT NULL,
    id          uuid             NOT NULL,
    purchase_id uuid             NOT NULL,
    rule_id     uuid             NOT NULL,
    source      text COLLATE "C" NOT NULL,
    merchant    text COLLATE "C" NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    amount      numeric(78)      NOT NULL,
    reversed    numeric(78)      NOT NULL,
    accrued     numeric(78)      NOT NULL,
    minting     numeric(78)      NOT NULL,
    minted      numeric(78)      NOT NULL,
    attempt     integer          NOT NULL,
    told        integer          NOT NULL,
    created_at  timestamptz      NOT NULL,
    -- Row-level security looks first, and uses an index for no condition that could tell of others' rows: as for >.
    is_open     boolean          NOT NULL GENERATED ALWAYS AS (accrued > 0) STORED,
    is_minting  boolean          NOT NULL GENERATED ALWAYS AS (minting > 0) STORED,
    CONSTRAINT entries_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT entries_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT entries_amounts CHECK (
        amount > 0 AND accrued >= 0 AND minting >= 0 AND minted >= 0 AND accrued + minting + minted <= amount
        AND reversed BETWEEN 0 AND amount
    ),
    CONSTRAINT entries_one_mint CHECK (minted = 0 OR minting = 0 AND accrued = 0)
) WITH (fillfactor = 70);
CREATE INDEX entries_open ON rewards.entries (bucket, user_id, created_at) WHERE is_open;
-- All that is needed of what a rule has given somebody in a month: without the table's rows it is by far the cheapest.
CREATE INDEX entries_by_rule ON rewards.entries (bucket, user_id, rule_id, created_at) INCLUDE (tenant_id, amount);
CREATE INDEX entries_minting ON rewards.entries (tenant_id, created_at) WHERE is_minting;

CREATE TABLE rewards.cashback_ledger (
    bucket     smallint         NOT NULL,
    tenant_id  uuid             NOT NULL,
    user_id    uuid             NOT NULL,
    id         uuid             NOT NULL,
    entry_id   uuid             NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    amount     numeric(78)      NOT NULL,
    owed       numeric(78)      NOT NULL, -- of what was taken back, what was not there any more
    refund_id  uuid,
    request_id uuid,
    tx_hash    text COLLATE "C",
    reason     text,
    created_at timestamptz      NOT NULL,
    CONSTRAINT cashback_ledger_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT cashback_ledger_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT cashback_ledger_kind CHECK (
        kind IN ('EARNED', 'REVERSED', 'OFFSET', 'MINTING', 'MINTED', 'MINT_FAILED')
    ),
    CONSTRAINT cashback_ledger_amounts CHECK (
        amount > 0 AND owed BETWEEN 0 AND amount AND (owed = 0 OR kind = 'REVERSED')
    ),
    CONSTRAINT cashback_ledger_refund CHECK ((refund_id IS NOT NULL) = (kind = 'REVERSED')),
    CONSTRAINT cashback_ledger_request CHECK (
        (request_id IS NOT NULL) = (kind IN ('MINTING', 'MINTED', 'MINT_FAILED')) AND (tx_hash IS NOT NULL) = (kind = 'MINTED')
    )
);
CREATE INDEX cashback_ledger_newest_first ON rewards.cashback_ledger (tenant_id, user_id, created_at DESC, id DESC);
CREATE INDEX cashback_ledger_of_an_entry ON rewards.cashback_ledger (bucket, user_id, entry_id);
-- A request is made once, and ends once; of an entry one is minted at the most.
CREATE UNIQUE INDEX cashback_ledger_once ON rewards.cashback_ledger (bucket, user_id, request_id, (kind = 'MINTING'))
    WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX cashback_ledger_one_mint ON rewards.cashback_ledger (bucket, user_id, entry_id)
    WHERE kind = 'MINTED';

-- The keys of /v1: one namespace for each who asks, whatever is asked; in a database that is shared with funds or with
-- ordering it is there already.
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

GRANT SELECT, INSERT, DELETE ON rewards.processed_events, rewards.parked_events TO strongbox_app;
GRANT SELECT, INSERT ON rewards.whereabouts TO strongbox_app;
GRANT UPDATE (tenant) ON rewards.whereabouts TO strongbox_app;
GRANT SELECT, INSERT ON rewards.rules, rewards.users, rewards.purchases, rewards.refunds, rewards.entries,
    rewards.cashback_ledger TO strongbox_app;
GRANT UPDATE (basis_points, currency, category, merchant, starts_at, ends_at, cap, min_amount, is_active, updated_at)
    ON rewards.rules TO strongbox_app;
GRANT UPDATE (address, heard, accrued, minting, minted, debt, updated_at) ON rewards.users TO strongbox_app;
GRANT UPDATE (reversed, accrued, minting, minted, attempt, told) ON rewards.entries TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rules', 'users', 'purchases', 'refunds', 'entries', 'cashback_ledger'] LOOP
        EXECUTE format('ALTER TABLE rewards.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE rewards.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON rewards.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
