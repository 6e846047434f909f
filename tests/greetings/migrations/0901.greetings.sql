CREATE SCHEMA greetings;
CREATE TABLE greetings.greetings (
    id       uuid        NOT NULL PRIMARY KEY,
    whom     text        NOT NULL,
    answered timestamptz,
    heard    timestamptz
);
GRANT SELECT, INSERT, UPDATE ON greetings.greetings TO strongbox_app;
CREATE TABLE greetings.inbox (
    event_id    uuid        PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_received ON greetings.inbox (received_at);
GRANT SELECT, INSERT, DELETE ON greetings.inbox TO strongbox_app;

CREATE TABLE greetings.outbox_events (
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
CREATE INDEX outbox_events_unsent ON greetings.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON greetings.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON greetings.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE greetings.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO greetings.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA greetings TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON greetings.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE greetings.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON greetings.outbox_leases TO strongbox_app;
