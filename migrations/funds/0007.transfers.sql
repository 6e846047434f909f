-- Money from user to user, money set aside for others, and the operations that other contexts ask for.
--
-- Processes of the version before go on: they write neither the new columns nor the new kinds, and each of their rows
-- fits the new rules. No row is rewritten: a column with a constant default is noted, not filled in, and the rules that
-- take the place of narrower ones are NOT VALID, which holds every row that is written from now on to them, without
-- walking over those that are there; these fit already, having been held to the narrower ones. Tables are locked for
-- moments.

-- What is set aside of a wallet's money. Room is kept for it to come back.
ALTER TABLE wallet_balances ADD held bigint NOT NULL DEFAULT 0;
ALTER TABLE wallet_balances
    ADD CONSTRAINT wallet_balances_held CHECK (
        held >= 0 AND held <= 9223372036854775807 - greatest(current_balance, 0)
    ) NOT VALID;

-- A transfer is a transaction of each of the two users, which share its id; so is a capture, whose id is its hold's: a
-- second one of the same hold has no place. What of a capture is a fee is in the FEE of its batch.
ALTER TABLE transactions
    ADD counterparty uuid,
    ADD note text,
    ADD business_id uuid,
    ADD hold_id uuid,
    ADD fee_id uuid,
    DROP CONSTRAINT transactions_kind,
    DROP CONSTRAINT transactions_of_a_payment,
    ADD CONSTRAINT transactions_kind CHECK (
        kind IN ('PAYMENT', 'REFUND', 'FUNDING', 'TRANSFER_OUT', 'TRANSFER_IN', 'HOLD', 'RELEASE', 'CAPTURE_OUT',
                 'CAPTURE_IN', 'FEE')
    ) NOT VALID,
    ADD CONSTRAINT transactions_of_a_payment CHECK (
        (kind IN ('PAYMENT', 'REFUND')) = (payment_id IS NOT NULL)
    ) NOT VALID,
    ADD CONSTRAINT transactions_between_users CHECK (
        CASE WHEN kind IN ('PAYMENT', 'REFUND', 'FUNDING')
            THEN counterparty IS NULL AND note IS NULL AND hold_id IS NULL AND fee_id IS NULL
        ELSE status = 'COMPLETED' AND reference IS NULL
            AND (kind IN ('TRANSFER_OUT', 'TRANSFER_IN', 'CAPTURE_IN')) = (counterparty IS NOT NULL)
            AND (counterparty <> user_id) IS NOT FALSE
            AND (note IS NULL OR kind IN ('TRANSFER_OUT', 'TRANSFER_IN') AND char_length(note) BETWEEN 1 AND 140)
            AND (kind IN ('HOLD', 'RELEASE', 'CAPTURE_OUT')) = (hold_id IS NOT NULL)
            AND (kind <> 'CAPTURE_OUT' OR hold_id = id)
            AND (fee_id IS NULL OR kind = 'CAPTURE_OUT')
        END
    ) NOT VALID;

-- Of a hold's movements those into and out of `held` carry no balance: only the wallet has one.
ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_account,
    ADD CONSTRAINT ledger_entries_account CHECK (
        account IN ('wallet', 'payments', 'funding', 'held', 'transfers')
    ) NOT VALID;

-- What happened once, or never will: forbidden, or with its answer, which is there at the end of the transaction that
-- the operation happens in. Never purged. The bucket goes by the business: an operation has one place, and new ones are
-- not all added at one.
CREATE TABLE operations (
    bucket      smallint         NOT NULL,
    context     text COLLATE "C" NOT NULL,
    business_id uuid             NOT NULL,
    name        text COLLATE "C" NOT NULL,
    user_id     uuid,
    fingerprint bytea,
    forbidden   boolean          NOT NULL,
    answer      json,
    created_at  timestamptz      NOT NULL,
    CONSTRAINT operations_pkey PRIMARY KEY (bucket, business_id, context, name),
    CONSTRAINT operations_bucket CHECK (bucket = get_byte(uuid_send(business_id), 15) & 15),
    CONSTRAINT operations_forbidden CHECK (
        forbidden = (fingerprint IS NULL) AND forbidden = (user_id IS NULL) AND (answer IS NULL OR NOT forbidden)
    ),
    CONSTRAINT operations_names CHECK (context <> '' AND name <> '')
) WITH (fillfactor = 70);

CREATE TABLE holds (
    user_id             uuid             NOT NULL,
    id                  uuid             NOT NULL,
    tenant_id           uuid             NOT NULL,
    context             text COLLATE "C" NOT NULL,
    business_id         uuid             NOT NULL,
    amount              bigint           NOT NULL,
    captured            bigint           NOT NULL DEFAULT 0,
    released            bigint           NOT NULL DEFAULT 0,
    currency            text COLLATE "C" NOT NULL,
    status              text COLLATE "C" NOT NULL,
    version             smallint         NOT NULL,
    capture_fingerprint bytea,
    created_at          timestamptz      NOT NULL,
    expires_at          timestamptz,
    closed_at           timestamptz,
    CONSTRAINT holds_pkey PRIMARY KEY (id, user_id),
    CONSTRAINT holds_status CHECK (status IN ('OPEN', 'CAPTURED', 'RELEASED')),
    CONSTRAINT holds_version CHECK (version > 0),
    CONSTRAINT holds_amounts CHECK (
        amount > 0 AND captured BETWEEN 0 AND amount AND released BETWEEN 0 AND amount - captured
    ),
    CONSTRAINT holds_closed CHECK (
        CASE status WHEN 'OPEN' THEN captured = 0 AND released = 0 AND closed_at IS NULL
            ELSE released = amount - captured AND closed_at IS NOT NULL AND (status = 'CAPTURED') = (captured > 0) END
        AND (capture_fingerprint IS NOT NULL) = (captured > 0)
    )
) WITH (fillfactor = 70);

-- The pages of a user's holds.
CREATE INDEX holds_newest_first ON holds (user_id, created_at DESC, id DESC);
-- What is released when its time is over; holds that are closed, or have no end, are not in it.
CREATE INDEX holds_expiring ON holds (expires_at) WHERE status = 'OPEN' AND expires_at IS NOT NULL;

-- As `idempotency_keys`, for whoever was let in: user_id is a principal's, a user's or a machine's.
CREATE TABLE v1_idempotency_keys (
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
CREATE INDEX v1_idempotency_keys_finalized ON v1_idempotency_keys (finalized_at) WHERE finalized_at IS NOT NULL;

GRANT UPDATE (held) ON wallet_balances TO strongbox_app;
GRANT SELECT, INSERT ON operations, holds TO strongbox_app;
GRANT UPDATE (answer) ON operations TO strongbox_app;
GRANT UPDATE (amount, captured, released, status, version, capture_fingerprint, closed_at) ON holds TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON v1_idempotency_keys TO strongbox_app;

CREATE SCHEMA funds;

CREATE TABLE funds.outbox_events (
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
CREATE INDEX outbox_events_unsent ON funds.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON funds.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON funds.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE funds.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO funds.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA funds TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON funds.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE funds.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON funds.outbox_leases TO strongbox_app;
