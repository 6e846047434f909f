-- What the consumers keep: the audit log and the metrics. It may live in a database of its own.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'strongbox_app') THEN
        CREATE ROLE strongbox_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE SCHEMA audit;

-- Append-only: strongbox_app may INSERT and SELECT, nothing else. Its unique event_id is the audit consumer's inbox.
-- payload is of type json, which keeps a document's text as it came, so that its hash can be computed again.
CREATE TABLE audit.events (
    position      bigint      NOT NULL,
    event_id      uuid        NOT NULL,
    type          text        NOT NULL,
    subject       uuid        NOT NULL,
    sequence      smallint    NOT NULL,
    occurred_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    payload       json        NOT NULL,
    hash          bytea       NOT NULL,
    previous_hash bytea       NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (position),
    CONSTRAINT events_once UNIQUE (event_id),
    CONSTRAINT events_position CHECK (position > 0),
    CONSTRAINT events_hashes CHECK (octet_length(hash) = 32 AND octet_length(previous_hash) = 32)
);

-- A payment's story.
CREATE INDEX events_of_a_subject ON audit.events (subject, sequence);

-- The end of the one hash chain. Its row is locked once a batch, so that positions have neither gaps nor forks.
CREATE TABLE audit.head (
    singleton boolean NOT NULL DEFAULT true,
    position  bigint  NOT NULL,
    hash      bytea   NOT NULL,
    CONSTRAINT head_pkey PRIMARY KEY (singleton),
    CONSTRAINT head_is_one_row CHECK (singleton),
    CONSTRAINT head_hash CHECK (octet_length(hash) = 32)
);
INSERT INTO audit.head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- What operators did. Append-only as well.
CREATE TABLE audit.actions (
    id       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    operator text        NOT NULL,
    action   text        NOT NULL,
    details  jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT actions_pkey PRIMARY KEY (id)
);

CREATE SCHEMA metrics;

-- The events that are counted in the totals; cleaned up once no replay can bring them again.
CREATE TABLE metrics.inbox (
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inbox_pkey PRIMARY KEY (event_id)
);
CREATE INDEX inbox_by_age ON metrics.inbox (received_at);

-- How many payments reached a status, and what they amount to in minor units.
CREATE TABLE metrics.totals (
    status   text    NOT NULL,
    currency text    NOT NULL,
    count    bigint  NOT NULL,
    amount   numeric NOT NULL,
    CONSTRAINT totals_pkey PRIMARY KEY (status, currency)
) WITH (fillfactor = 50);

-- Seconds from an event's commit to its count: how many fell into the bucket that ends at le, and their sum.
CREATE TABLE metrics.latency (
    le    double precision NOT NULL,
    count bigint           NOT NULL,
    sum_s double precision NOT NULL,
    CONSTRAINT latency_pkey PRIMARY KEY (le)
) WITH (fillfactor = 50);

GRANT USAGE ON SCHEMA audit, metrics TO strongbox_app;
GRANT SELECT, INSERT ON audit.events, audit.actions TO strongbox_app;
GRANT SELECT, UPDATE ON audit.head TO strongbox_app;
GRANT SELECT, INSERT, UPDATE ON metrics.totals, metrics.latency TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON metrics.inbox TO strongbox_app;
