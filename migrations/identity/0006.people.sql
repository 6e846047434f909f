-- People, machines, and what lets them in. All of it is some tenant's, which leads every key; and rows are seen and
-- written by whoever has said, inside the transaction, whose they are to be: with nothing said there are none.
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO strongbox_app;

-- Who is told apart by the host that they come to. The one that comes first is there from the beginning.
CREATE TABLE identity.tenants (
    id            uuid             NOT NULL,
    name          text COLLATE "C" NOT NULL,
    host          text COLLATE "C",
    house_user_id uuid             NOT NULL,
    created_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT tenants_pkey PRIMARY KEY (id),
    CONSTRAINT tenants_name_key UNIQUE (name),
    CONSTRAINT tenants_host_key UNIQUE (host)
);
INSERT INTO identity.tenants (id, name, house_user_id) VALUES (gen_random_uuid(), 'default', gen_random_uuid());

CREATE TABLE identity.users (
    tenant_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    role           text COLLATE "C" NOT NULL,
    username       text COLLATE "C",
    email          text COLLATE "C",
    wallet_address text COLLATE "C",
    password_hash  text,
    first_name     text,
    last_name      text,
    avatar_url     text,
    phone          text,
    email_verified boolean          NOT NULL DEFAULT false,
    is_active      boolean          NOT NULL DEFAULT true,
    created_at     timestamptz      NOT NULL,
    last_login_at  timestamptz,
    version        integer          NOT NULL DEFAULT 1, -- of what was told of it: its newest event's sequence
    CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_username_key UNIQUE (tenant_id, username),
    CONSTRAINT users_email_key UNIQUE (tenant_id, email),
    CONSTRAINT users_wallet_address_key UNIQUE (tenant_id, wallet_address),
    CONSTRAINT users_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES identity.tenants (id),
    CONSTRAINT users_role CHECK (role IN ('customer', 'seller', 'admin')),
    CONSTRAINT users_password_of_an_email CHECK (password_hash IS NULL OR email IS NOT NULL)
) WITH (fillfactor = 85);
CREATE INDEX users_newest_first ON identity.users (tenant_id, created_at DESC, id DESC);

CREATE TABLE identity.nonces (
    tenant_id  uuid             NOT NULL,
    nonce      text COLLATE "C" NOT NULL,
    expires_at timestamptz      NOT NULL,
    CONSTRAINT nonces_pkey PRIMARY KEY (tenant_id, nonce)
);
CREATE INDEX nonces_by_end ON identity.nonces (tenant_id, expires_at);

-- A log-in with all that came of it: its tokens and cookies end when it does.
CREATE TABLE identity.families (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT families_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT families_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES identity.users (tenant_id, id)
);
CREATE INDEX families_of_a_user ON identity.families (tenant_id, user_id, created_at DESC);
CREATE INDEX families_by_end ON identity.families (tenant_id, expires_at);

-- Secrets are kept as their SHA-256. A spent one has its successor, sealed with a key that is derived from itself, until
-- the grace is over.
CREATE TABLE identity.refresh_tokens (
    tenant_id        uuid        NOT NULL,
    token_hash       bytea       NOT NULL,
    family_id        uuid        NOT NULL,
    created_at       timestamptz NOT NULL,
    spent_at         timestamptz,
    sealed_successor bytea,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT refresh_tokens_family_fkey FOREIGN KEY (tenant_id, family_id)
        REFERENCES identity.families (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_sealed CHECK (sealed_successor IS NULL OR spent_at IS NOT NULL)
);
-- No family has two that are unspent.
CREATE UNIQUE INDEX refresh_tokens_one_unspent ON identity.refresh_tokens (tenant_id, family_id)
    WHERE spent_at IS NULL;
-- Those whose grace will be over: what is sealed in them goes then.
CREATE INDEX refresh_tokens_sealed ON identity.refresh_tokens (tenant_id, spent_at) WHERE sealed_successor IS NOT NULL;
CREATE INDEX refresh_tokens_of_a_family ON identity.refresh_tokens (tenant_id, family_id);

CREATE TABLE identity.sessions (
    tenant_id  uuid        NOT NULL,
    token_hash bytea       NOT NULL,
    family_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT sessions_family_fkey FOREIGN KEY (tenant_id, family_id)
        REFERENCES identity.families (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_of_a_family ON identity.sessions (tenant_id, family_id);

-- Machines. The generation counts the secrets that there were: a token is of one.
CREATE TABLE identity.clients (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL CHECK (name <> ''),
    secret_hash bytea       NOT NULL,
    scopes      text[]      NOT NULL,
    generation  integer     NOT NULL DEFAULT 1,
    is_active   boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL,
    rotated_at  timestamptz,
    CONSTRAINT clients_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT clients_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES identity.tenants (id)
);

GRANT SELECT, INSERT ON identity.tenants TO strongbox_app;
GRANT SELECT, INSERT ON identity.users TO strongbox_app;
GRANT UPDATE (role, username, email, wallet_address, password_hash, first_name, last_name, avatar_url, phone,
              email_verified, is_active, last_login_at, version) ON identity.users TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON identity.nonces, identity.sessions TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON identity.families, identity.refresh_tokens TO strongbox_app;
GRANT UPDATE (ended_at) ON identity.families TO strongbox_app;
GRANT UPDATE (spent_at, sealed_successor) ON identity.refresh_tokens TO strongbox_app;
GRANT SELECT, INSERT ON identity.clients TO strongbox_app;
GRANT UPDATE (secret_hash, generation, is_active, rotated_at) ON identity.clients TO strongbox_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'nonces', 'families', 'refresh_tokens', 'sessions', 'clients'] LOOP
        EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE identity.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON identity.%I
                USING (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)
                WITH CHECK (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''')::uuid)', name);
    END LOOP;
END
$$;

CREATE TABLE identity.outbox_events (
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
CREATE INDEX outbox_events_unsent ON identity.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON identity.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON identity.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE identity.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO identity.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE identity.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON identity.outbox_leases TO strongbox_app;
