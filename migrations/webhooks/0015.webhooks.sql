-- Webhooks: the events of tenants, on their way to whoever has asked for them. All of an endpoint's is in its bucket, an
-- event is in its own.
CREATE SCHEMA webhooks;
CREATE TABLE webhooks.outbox_events (
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
CREATE INDEX outbox_events_unsent ON webhooks.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON webhooks.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON webhooks.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE webhooks.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO webhooks.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA webhooks TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE webhooks.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON webhooks.outbox_leases TO strongbox_app;

-- The next two belong to nobody: senders see there whose turn it is, and nothing of what is sent or whereto.
CREATE TABLE webhooks.houses (
    tenant uuid NOT NULL,
    CONSTRAINT houses_pkey PRIMARY KEY (tenant)
);

-- An endpoint's lane: whoever takes deliveries of it, adds some, or writes what became of them, holds its row.
-- wake_at: when there may be something to send, NULL where nothing is. strikes: calls in a row that came to nothing;
-- from some on nothing is sent before open_until. failing_since: the first failure after the last success.
CREATE TABLE webhooks.lanes (
    bucket        smallint    NOT NULL,
    endpoint_id   uuid        NOT NULL,
    tenant        uuid        NOT NULL,
    is_active     boolean     NOT NULL,
    strikes       smallint    NOT NULL DEFAULT 0,
    open_until    timestamptz,
    failing_since timestamptz,
    wake_at       timestamptz,
    CONSTRAINT lanes_pkey PRIMARY KEY (bucket, endpoint_id),
    CONSTRAINT lanes_bucket CHECK (bucket = get_byte(uuid_send(endpoint_id), 15) & 15),
    CONSTRAINT lanes_sleep CHECK (is_active OR wake_at IS NULL)
) WITH (fillfactor = 50);
CREATE INDEX lanes_due ON webhooks.lanes (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX lanes_due_of_a_tenant ON webhooks.lanes (tenant, wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE webhooks.endpoints (
    bucket        smallint         NOT NULL,
    tenant_id     uuid             NOT NULL,
    id            uuid             NOT NULL,
    url           text COLLATE "C" NOT NULL,
    types         text[]           NOT NULL,
    description   text,
    status        text COLLATE "C" NOT NULL,
    reason        text COLLATE "C", -- why nobody but the service itself has disabled it
    version       integer          NOT NULL,
    told          smallint         NOT NULL DEFAULT 0, -- events of it
    secret        bytea            NOT NULL, -- encrypted, as the one before is, which signs until then as well
    secret_before bytea,
    before_until  timestamptz,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL,
    CONSTRAINT endpoints_pkey PRIMARY KEY (bucket, id),
    CONSTRAINT endpoints_bucket CHECK (bucket = get_byte(uuid_send(id), 15) & 15),
    CONSTRAINT endpoints_types CHECK (cardinality(types) BETWEEN 1 AND 50),
    CONSTRAINT endpoints_status CHECK (status IN ('ACTIVE', 'DISABLED')),
    CONSTRAINT endpoints_reason CHECK (reason IS NULL OR reason IN ('gone', 'failing') AND status = 'DISABLED'),
    CONSTRAINT endpoints_before CHECK ((secret_before IS NULL) = (before_until IS NULL))
);
CREATE INDEX endpoints_newest_first ON webhooks.endpoints (tenant_id, created_at DESC, id DESC);

-- What an endpoint asked for, and since when: an event goes by what stood at its time.
CREATE TABLE webhooks.endpoint_versions (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    endpoint_id uuid             NOT NULL,
    version     integer          NOT NULL,
    types       text[]           NOT NULL,
    status      text COLLATE "C" NOT NULL,
    starts_at   timestamptz      NOT NULL,
    CONSTRAINT endpoint_versions_pkey PRIMARY KEY (bucket, endpoint_id, version),
    CONSTRAINT endpoint_versions_bucket CHECK (bucket = get_byte(uuid_send(endpoint_id), 15) & 15)
);
CREATE INDEX endpoint_versions_at ON webhooks.endpoint_versions (bucket, endpoint_id, starts_at, version);

-- Events as they were published, each once: an id that is here has had its effect. only_for: a test of that endpoint's.
CREATE TABLE webhooks.events (
    bucket      smallint         NOT NULL,
    tenant_id   uuid             NOT NULL,
    event_id    uuid             NOT NULL,
    type        text COLLATE "C" NOT NULL,
    subject     uuid             NOT NULL,
    sequence    smallint         NOT NULL,
    occurred_at timestamptz      NOT NULL,
    only_for    uuid,
    document    bytea            NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (bucket, event_id),
    CONSTRAINT events_bucket CHECK (bucket = get_byte(uuid_send(event_id), 15) & 15)
);
CREATE INDEX events_by_time ON webhooks.events (tenant_id, occurred_at, event_id);

-- One an endpoint and event. While it is leased next_attempt_at is when the lease ends: then it is due again. round: how
-- often somebody had it sent anew, which begins its attempts again.
CREATE TABLE webhooks.deliveries (
    bucket          smallint         NOT NULL,
    tenant_id       uuid             NOT NULL,
    endpoint_id     uuid             NOT NULL,
    event_id        uuid             NOT NULL,
    id              uuid             NOT NULL,
    origin          text COLLATE "C" NOT NULL,
    type            text COLLATE "C" NOT NULL,
    subject         uuid             NOT NULL,
    sequence        smallint         NOT NULL,
    occurred_at     timestamptz      NOT NULL,
    status          text COLLATE "C" NOT NULL,
    round           integer          NOT NULL DEFAULT 0,
    attempts        smallint         NOT NULL DEFAULT 0,
    leased          boolean          NOT NULL DEFAULT false,
    next_attempt_at timestamptz,
    last_status     smallint,
    last_error      text COLLATE "C",
    created_at      timestamptz      NOT NULL,
    delivered_at    timestamptz,
    CONSTRAINT deliveries_pkey PRIMARY KEY (bucket, endpoint_id, event_id),
    CONSTRAINT deliveries_bucket CHECK (bucket = get_byte(uuid_send(endpoint_id), 15) & 15),
    CONSTRAINT deliveries_origin CHECK (origin IN ('event', 'replay', 'test')),
    CONSTRAINT deliveries_status CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED')),
    CONSTRAINT deliveries_pending CHECK ((status = 'PENDING') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT deliveries_leased CHECK (status = 'PENDING' OR NOT leased),
    CONSTRAINT deliveries_delivered CHECK (status <> 'DELIVERED' OR delivered_at IS NOT NULL),
    CONSTRAINT deliveries_attempts CHECK (attempts BETWEEN 0 AND 10)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX deliveries_by_id ON webhooks.deliveries (bucket, endpoint_id, id);
CREATE INDEX deliveries_due ON webhooks.deliveries (bucket, endpoint_id, next_attempt_at, occurred_at, sequence)
    WHERE status = 'PENDING';
CREATE INDEX deliveries_in_hand ON webhooks.deliveries (bucket, endpoint_id) WHERE leased;
CREATE INDEX deliveries_newest_first ON webhooks.deliveries (bucket, endpoint_id, created_at DESC, id DESC);
CREATE INDEX deliveries_by_status ON webhooks.deliveries (bucket, endpoint_id, status, created_at DESC, id DESC);
CREATE INDEX deliveries_old ON webhooks.deliveries (tenant_id, created_at);

-- How each attempt ended of which that is known.
CREATE TABLE webhooks.attempts (
    bucket      smallint    NOT NULL,
    tenant_id   uuid        NOT NULL,
    endpoint_id uuid        NOT NULL,
    delivery_id uuid        NOT NULL,
    round       integer     NOT NULL,
    attempt     smallint    NOT NULL,
    started_at  timestamptz NOT NULL,
    took_ms     integer     NOT NULL,
    status      smallint,
    error       text COLLATE "C",
    CONSTRAINT attempts_pkey PRIMARY KEY (bucket, endpoint_id, delivery_id, round, attempt),
    CONSTRAINT attempts_bucket CHECK (bucket = get_byte(uuid_send(endpoint_id), 15) & 15)
);
CREATE INDEX attempts_old ON webhooks.attempts (tenant_id, started_at);

GRANT SELECT, INSERT, UPDATE (tenant) ON webhooks.houses TO strongbox_app; -- to be held
GRANT SELECT, INSERT, DELETE ON webhooks.lanes, webhooks.endpoints, webhooks.endpoint_versions, webhooks.events,
    webhooks.deliveries, webhooks.attempts TO strongbox_app;
GRANT UPDATE (is_active, strikes, open_until, failing_since, wake_at) ON webhooks.lanes TO strongbox_app;
GRANT UPDATE (url, types, description, status, reason, version, told, secret, secret_before, before_until, updated_at)
    ON webhooks.endpoints TO strongbox_app;
GRANT UPDATE (status, round, attempts, leased, next_attempt_at, last_status, last_error, delivered_at)
    ON webhooks.deliveries TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['endpoints', 'endpoint_versions', 'events', 'deliveries', 'attempts'] LOOP
        EXECUTE format('ALTER TABLE webhooks.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE webhooks.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON webhooks.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
