-- The gateway's reports, compared with the books day by day. All rows are some tenant's. A tenant's runs and findings
-- are in the tenant's bucket; what reports have told of is spread over the buckets, as there is much of it.
CREATE SCHEMA reconciliation;
CREATE TABLE reconciliation.outbox_events (
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
CREATE INDEX outbox_events_unsent ON reconciliation.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON reconciliation.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON reconciliation.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE reconciliation.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO reconciliation.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA reconciliation TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciliation.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE reconciliation.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON reconciliation.outbox_leases TO strongbox_app;

-- A run: one report of one day. The same bytes again are the same run.
CREATE TABLE reconciliation.runs (
    bucket     smallint    NOT NULL,
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    date       date        NOT NULL,
    sha256     bytea       NOT NULL,
    lines      bigint      NOT NULL,
    matched    bigint      NOT NULL,
    carried    bigint      NOT NULL,
    findings   bigint      NOT NULL,
    unresolved bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT runs_pkey PRIMARY KEY (bucket, tenant_id, id),
    CONSTRAINT runs_once UNIQUE (bucket, tenant_id, date, sha256),
    CONSTRAINT runs_bucket CHECK (bucket = get_byte(uuid_send(tenant_id), 15) & 15),
    CONSTRAINT runs_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT runs_counts CHECK (
        matched >= 0 AND lines >= matched AND carried >= 0 AND findings >= 0 AND unresolved BETWEEN 0 AND findings
    )
);
CREATE INDEX runs_newest_first ON reconciliation.runs (tenant_id, created_at DESC, id DESC);

-- What does not fit: what is known of it here (our_), and what the report says (their_).
CREATE TABLE reconciliation.findings (
    bucket            smallint         NOT NULL,
    tenant_id         uuid             NOT NULL,
    id                uuid             NOT NULL,
    reconciliation_id uuid             NOT NULL,
    number            bigint           NOT NULL,
    kind              text COLLATE "C" NOT NULL,
    line              bigint,
    payment_id        uuid             NOT NULL,
    refund_id         uuid,
    our_status        text,
    our_amount        bigint,
    our_currency      text,
    our_finalized_at  timestamptz,
    their_charge_id   uuid,
    their_amount      bigint,
    their_currency    text,
    their_occurred_at timestamptz,
    resolved_at       timestamptz,
    note              text,
    CONSTRAINT findings_pkey PRIMARY KEY (bucket, tenant_id, id),
    CONSTRAINT findings_run_fkey FOREIGN KEY (bucket, tenant_id, reconciliation_id)
        REFERENCES reconciliation.runs (bucket, tenant_id, id),
    CONSTRAINT findings_bucket CHECK (bucket = get_byte(uuid_send(tenant_id), 15) & 15),
    CONSTRAINT findings_kind CHECK (
        kind IN ('doubled', 'missing_here', 'status_differs', 'currency_differs', 'amount_differs', 'missing_there')
    ),
    CONSTRAINT findings_ours CHECK (
        (our_status IS NULL) = (our_amount IS NULL) AND (our_status IS NULL) = (our_currency IS NULL)
        AND (our_status IS NOT NULL OR our_finalized_at IS NULL)
    ),
    CONSTRAINT findings_theirs CHECK (
        (their_charge_id IS NULL) = (their_amount IS NULL) AND (their_charge_id IS NULL) = (their_currency IS NULL)
        AND (their_charge_id IS NULL) = (their_occurred_at IS NULL)
        AND (their_charge_id IS NULL) = (kind = 'missing_there')
    ),
    CONSTRAINT findings_resolved CHECK ((resolved_at IS NULL) = (note IS NULL) AND char_length(note) BETWEEN 1 AND 500)
);
-- Pages: by kind, and in it by line.
CREATE UNIQUE INDEX findings_by_kind ON reconciliation.findings (bucket, tenant_id, reconciliation_id, kind, number);

-- What a run has left to the next day's: lines of payments that are not finished here, and what stands here close to
-- midnight and is in no report. The first run of a later day takes it.
CREATE TABLE reconciliation.carried (
    bucket            smallint    NOT NULL,
    tenant_id         uuid        NOT NULL,
    reconciliation_id uuid        NOT NULL,
    number            bigint      NOT NULL,
    date              date        NOT NULL,
    type              text        NOT NULL,
    payment_id        uuid        NOT NULL,
    refund_id         uuid,
    their_charge_id   uuid,
    their_amount      bigint,
    their_currency    text,
    their_occurred_at timestamptz,
    taken_by          uuid,
    CONSTRAINT carried_pkey PRIMARY KEY (bucket, tenant_id, reconciliation_id, number),
    CONSTRAINT carried_run_fkey FOREIGN KEY (bucket, tenant_id, reconciliation_id)
        REFERENCES reconciliation.runs (bucket, tenant_id, id),
    CONSTRAINT carried_bucket CHECK (bucket = get_byte(uuid_send(tenant_id), 15) & 15),
    CONSTRAINT carried_type CHECK (type IN ('charge', 'refund') AND (type = 'refund') = (refund_id IS NOT NULL))
);
CREATE INDEX carried_open ON reconciliation.carried (bucket, tenant_id, date) WHERE taken_by IS NULL;

-- The payments and refunds that reports have told of, many in a row: those whose ids begin with the same four bytes,
-- which are made within the same minute. A row for each would take six times the room, and three times the time. They
-- are random, and not packed.
CREATE TABLE reconciliation.reported (
    bucket            smallint NOT NULL,
    tenant_id         uuid     NOT NULL,
    prefix            bytea    NOT NULL,
    reconciliation_id uuid     NOT NULL,
    ids               uuid[]   NOT NULL,
    CONSTRAINT reported_pkey PRIMARY KEY (bucket, tenant_id, prefix, reconciliation_id),
    CONSTRAINT reported_bucket CHECK (octet_length(prefix) = 4 AND bucket = get_byte(prefix, 3) & 15)
);
ALTER TABLE reconciliation.reported ALTER ids SET STORAGE EXTERNAL;

-- What became final on a day. It lies nearly in that order already: so little tells enough, and costs whoever pays
-- nothing that could be measured. What is not final is left out: who settles one looks it up by its id, and to a planner
-- that knows of none this would seem cheaper. Writing waits while it is made: with many millions of payments make it
-- before, CONCURRENTLY.
CREATE INDEX IF NOT EXISTS payments_finalized ON public.payments USING brin (finalized_at)
    WITH (pages_per_range = 16, autosummarize = on) WHERE finalized_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS refunds_finalized ON payments.refunds USING brin (finalized_at)
    WITH (pages_per_range = 16, autosummarize = on) WHERE finalized_at IS NOT NULL;

-- Runs, and what was found, stay as they are, but for what operators say of it.
GRANT SELECT, INSERT ON reconciliation.runs, reconciliation.findings, reconciliation.carried, reconciliation.reported
    TO strongbox_app;
GRANT UPDATE (unresolved) ON reconciliation.runs TO strongbox_app;
GRANT UPDATE (resolved_at, note) ON reconciliation.findings TO strongbox_app;
GRANT UPDATE (taken_by) ON reconciliation.carried TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['runs', 'findings', 'carried', 'reported'] LOOP
        EXECUTE format('ALTER TABLE reconciliation.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE reconciliation.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON reconciliation.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;
