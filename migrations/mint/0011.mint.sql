-- Requests for tokens. Whoever asks knows what for; here each is known by its id alone.
CREATE SCHEMA mint;
CREATE TABLE mint.outbox_events (
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
CREATE INDEX outbox_events_unsent ON mint.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON mint.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON mint.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE mint.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO mint.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA mint TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON mint.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE mint.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON mint.outbox_leases TO strongbox_app;

-- The inbox of mint.queue.
CREATE TABLE mint.processed_events (
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT processed_events_pkey PRIMARY KEY (event_id)
);
CREATE INDEX processed_events_received ON mint.processed_events (received_at);

-- Whose it is matters to nobody here, so no tenant's wall stands around it: the tenant goes along to the events.
CREATE TABLE mint.mint_requests (
    request_id   uuid             NOT NULL,
    entry_id     uuid             NOT NULL,
    user_id      uuid             NOT NULL,
    for_tenant   uuid,
    place        smallint         NOT NULL, -- among the requests for the entry
    address      text COLLATE "C" NOT NULL,
    amount       numeric(78)      NOT NULL, -- base units
    status       text COLLATE "C" NOT NULL,
    tx_hash      text COLLATE "C",
    reason       text COLLATE "C",
    traceparent  text,
    ask_after    timestamptz,               -- when the chain is to be asked about it; none once that is over
    created_at   timestamptz      NOT NULL,
    submitted_at timestamptz,
    settled_at   timestamptz,
    CONSTRAINT mint_requests_pkey PRIMARY KEY (request_id),
    CONSTRAINT mint_requests_place UNIQUE (entry_id, place),
    CONSTRAINT mint_requests_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
    CONSTRAINT mint_requests_amount CHECK (
        amount BETWEEN 1 AND 115792089237316195423570985008687907853269984665640564039457584007913129639935
    ),
    CONSTRAINT mint_requests_status CHECK (status IN ('REQUESTED', 'SUBMITTED', 'MINTED', 'FAILED')),
    CONSTRAINT mint_requests_minted CHECK (status <> 'MINTED' OR tx_hash IS NOT NULL),
    CONSTRAINT mint_requests_failed CHECK ((status = 'FAILED') = (reason IS NOT NULL)),
    CONSTRAINT mint_requests_submitted CHECK (status <> 'SUBMITTED' OR submitted_at IS NOT NULL),
    CONSTRAINT mint_requests_settled CHECK (
        (status IN ('MINTED', 'FAILED')) = (settled_at IS NOT NULL) AND (settled_at IS NULL) = (ask_after IS NOT NULL)
    )
) WITH (fillfactor = 70);
-- At most one mint lands for an entry: another one is asked for only once the one before has failed.
CREATE UNIQUE INDEX mint_requests_one_an_entry ON mint.mint_requests (entry_id) WHERE status <> 'FAILED';
CREATE INDEX mint_requests_due ON mint.mint_requests (ask_after) WHERE ask_after IS NOT NULL;
-- What operators look at: the newest of all, and to an address; and of the few that failed.
CREATE INDEX mint_requests_newest ON mint.mint_requests (created_at, request_id);
CREATE INDEX mint_requests_to ON mint.mint_requests (address, created_at, request_id);
CREATE INDEX mint_requests_failed ON mint.mint_requests (created_at, request_id) WHERE status = 'FAILED';

GRANT SELECT, INSERT, DELETE ON mint.processed_events TO strongbox_app;
GRANT SELECT, INSERT ON mint.mint_requests TO strongbox_app;
GRANT UPDATE (status, tx_hash, reason, ask_after, submitted_at, settled_at) ON mint.mint_requests TO strongbox_app;
