-- The books: providers, wallets, payments, their transactions and double-entry ledger, idempotency keys, and the
-- outbox. Every primary key, unique constraint and foreign key of a table that grows contains user_id, so that the
-- whole of a user can live on one shard. Where there is an id that begins with the time it comes first: then each row
-- is added at an index's end, in memory, and not to a page of its user's own.

-- The group role that the services' login roles join. A cluster has one set of roles for all its databases, so
-- another database's migration may be making it at this very moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'strongbox_app') THEN
        CREATE ROLE strongbox_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE TABLE service_providers (
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (name <> ''),
    is_active  boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_providers_pkey PRIMARY KEY (id)
);

CREATE TABLE wallet_balances (
    user_id         uuid        NOT NULL,
    currency        text        NOT NULL,
    current_balance bigint      NOT NULL,
    version         bigint      NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT wallet_balances_pkey PRIMARY KEY (user_id, currency),
    CONSTRAINT wallet_balances_currency CHECK (currency ~ '\A[A-Z]{3,5}\Z'),
    CONSTRAINT wallet_balances_not_negative CHECK (current_balance >= 0)
) WITH (fillfactor = 70);

CREATE TABLE payments (
    user_id            uuid        NOT NULL,
    id                 uuid        NOT NULL,
    transaction_id     uuid        NOT NULL,
    idempotency_key    text        NOT NULL,
    provider_id        uuid        NOT NULL,
    external_reference text        NOT NULL,
    amount             bigint      NOT NULL,
    currency           text        NOT NULL,
    status             text        NOT NULL,
    failure_code       text,
    void_requested_at  timestamptz,
    recover_after      timestamptz,
    traceparent        text,
    created_at         timestamptz NOT NULL,
    finalized_at       timestamptz,
    CONSTRAINT payments_pkey PRIMARY KEY (id, user_id),
    CONSTRAINT payments_amount CHECK (amount > 0),
    CONSTRAINT payments_status CHECK (status IN ('PENDING', 'APPROVED', 'DECLINED', 'FAILED')),
    CONSTRAINT payments_final CHECK ((status = 'PENDING') = (finalized_at IS NULL)),
    CONSTRAINT payments_marked_is_never_approved CHECK (status <> 'APPROVED' OR void_requested_at IS NULL)
) WITH (fillfactor = 85);

-- What recovery polls; finished payments are not in it.
CREATE INDEX payments_pending ON payments (recover_after NULLS FIRST, created_at) WHERE status = 'PENDING';

CREATE TABLE transactions (
    user_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,
    payment_id uuid,
    reference  text,
    amount     bigint      NOT NULL,
    currency   text        NOT NULL,
    status     text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT transactions_pkey PRIMARY KEY (id, user_id),
    CONSTRAINT transactions_payment_fkey FOREIGN KEY (user_id, payment_id) REFERENCES payments (user_id, id),
    CONSTRAINT transactions_amount CHECK (amount > 0),
    CONSTRAINT transactions_kind CHECK (kind IN ('FUNDING', 'PAYMENT', 'REFUND')),
    CONSTRAINT transactions_status CHECK (status IN ('PENDING', 'APPROVED', 'DECLINED', 'FAILED', 'COMPLETED')),
    CONSTRAINT transactions_of_a_payment CHECK ((kind = 'FUNDING') = (payment_id IS NULL))
) WITH (fillfactor = 85);

-- One debit and at most one refund a payment; one funding a reference.
CREATE UNIQUE INDEX transactions_once_per_payment ON transactions (payment_id, kind, user_id)
    WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX transactions_once_per_reference ON transactions (user_id, currency, reference)
    WHERE reference IS NOT NULL;
-- The pages of GET /transactions, with and without a currency.
CREATE INDEX transactions_newest_first ON transactions (user_id, created_at DESC, id DESC);
CREATE INDEX transactions_newest_first_by_currency ON transactions (user_id, currency, created_at DESC, id DESC);

-- Append-only: strongbox_app may INSERT and SELECT, nothing else.
CREATE TABLE ledger_entries (
    user_id        uuid        NOT NULL,
    transaction_id uuid        NOT NULL,
    account        text        NOT NULL,
    currency       text        NOT NULL,
    amount         bigint      NOT NULL,
    balance_after  bigint,
    wallet_version bigint,
    created_at     timestamptz NOT NULL,
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, account, user_id),
    CONSTRAINT ledger_entries_transaction_fkey FOREIGN KEY (user_id, transaction_id)
        REFERENCES transactions (user_id, id),
    CONSTRAINT ledger_entries_amount CHECK (amount <> 0),
    CONSTRAINT ledger_entries_account CHECK (account IN ('wallet', 'payments', 'funding')),
    CONSTRAINT ledger_entries_wallet CHECK (
        (account = 'wallet') = (balance_after IS NOT NULL) AND (account = 'wallet') = (wallet_version IS NOT NULL)
    ),
    CONSTRAINT ledger_entries_not_negative CHECK (balance_after >= 0)
);

-- A wallet's entries have no gaps and no forks: entry n follows entry n - 1.
CREATE UNIQUE INDEX ledger_entries_in_wallet_order ON ledger_entries (user_id, currency, wallet_version)
    WHERE account = 'wallet';

CREATE TABLE idempotency_keys (
    user_id              uuid        NOT NULL,
    key                  text COLLATE "C" NOT NULL,
    fingerprint          bytea       NOT NULL,
    payment_id           uuid,
    response_status      smallint,
    response_body        bytea,
    created_at           timestamptz NOT NULL,
    finalized_at         timestamptz,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key),
    CONSTRAINT idempotency_keys_final CHECK (
        (finalized_at IS NULL) = (response_status IS NULL) AND (finalized_at IS NULL) = (response_body IS NULL)
    )
) WITH (fillfactor = 67);

-- What the purge of expired keys walks.
CREATE INDEX idempotency_keys_finalized ON idempotency_keys (finalized_at) WHERE finalized_at IS NOT NULL;

CREATE TABLE outbox_events (
    user_id      uuid        NOT NULL,
    id           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id     uuid        NOT NULL,
    payment_id   uuid        NOT NULL,
    sequence     smallint    NOT NULL,
    type         text        NOT NULL,
    payload      json        NOT NULL,
    partition    smallint    NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    retry_at     timestamptz,
    last_error   text,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    CONSTRAINT outbox_events_pkey PRIMARY KEY (payment_id, sequence, user_id)
) WITH (fillfactor = 85);

-- What a relay polls: a partition's unsent events in id order. Sent events are not in it.
CREATE INDEX outbox_events_unsent ON outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its payment.
CREATE INDEX outbox_events_failing ON outbox_events (partition, retry_at) WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA public TO strongbox_app;
-- What a payment or a movement is made of never changes: only the columns that tell how it goes may be updated.
GRANT SELECT, INSERT ON service_providers, wallet_balances, payments, transactions, ledger_entries TO strongbox_app;
GRANT UPDATE (is_active) ON service_providers TO strongbox_app;
GRANT UPDATE (current_balance, version, updated_at) ON wallet_balances TO strongbox_app;
GRANT UPDATE (status, failure_code, void_requested_at, recover_after, finalized_at) ON payments TO strongbox_app;
GRANT UPDATE (status) ON transactions TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys, outbox_events TO strongbox_app;
GRANT SELECT, UPDATE ON outbox_leases TO strongbox_app;
