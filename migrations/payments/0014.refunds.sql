-- Refunds, and payments as /v1 knows them: whose they are, who asked for them, and what the asker noted with them.
--
-- Processes of the version before go on: they write neither the new columns nor the new kind, and each of their rows
-- fits the new rules. No row is rewritten: columns without a default are noted, not filled in, and rules that take the
-- place of narrower ones are NOT VALID. `payments` and `transactions` are locked while their new indexes are made.

-- Without a tenant a payment is that of the holders of API_KEYS, as all were before.
ALTER TABLE public.payments
    ADD tenant_id uuid,
    ADD asked_by  uuid, -- a user or a machine of /v1, whose key it is then; without one the key is its user's
    ADD metadata  jsonb;

-- The pages of a tenant's payments: all, those with a reference, those with something noted. Those of a user are found
-- by their transactions.
CREATE INDEX payments_newest_first ON public.payments (tenant_id, created_at DESC, transaction_id DESC);
CREATE INDEX payments_by_reference
    ON public.payments (external_reference COLLATE "C", created_at DESC, transaction_id DESC);
CREATE INDEX payments_by_metadata ON public.payments USING gin (metadata jsonb_path_ops) WHERE metadata IS NOT NULL;

-- A payment is debited once, comes back at most once, and is refunded by its merchant any number of times: each with the
-- id of its refund, and that is the transaction's key.
ALTER TABLE public.transactions
    DROP CONSTRAINT transactions_kind,
    DROP CONSTRAINT transactions_of_a_payment,
    DROP CONSTRAINT transactions_between_users,
    ADD CONSTRAINT transactions_kind CHECK (
        kind IN ('PAYMENT', 'REFUND', 'MERCHANT_REFUND', 'FUNDING', 'TRANSFER_OUT', 'TRANSFER_IN', 'HOLD', 'RELEASE',
                 'CAPTURE_OUT', 'CAPTURE_IN', 'FEE')
    ) NOT VALID,
    ADD CONSTRAINT transactions_of_a_payment CHECK (
        (kind IN ('PAYMENT', 'REFUND', 'MERCHANT_REFUND')) = (payment_id IS NOT NULL)
    ) NOT VALID,
    ADD CONSTRAINT transactions_between_users CHECK (
        CASE WHEN kind IN ('PAYMENT', 'REFUND', 'MERCHANT_REFUND', 'FUNDING')
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
DROP INDEX public.transactions_once_per_payment;
CREATE UNIQUE INDEX transactions_once_per_payment ON public.transactions
    (payment_id, kind, user_id, (CASE kind WHEN 'MERCHANT_REFUND' THEN id ELSE payment_id END))
    WHERE payment_id IS NOT NULL;

-- A refund is a promise: what is PENDING is kept until the gateway has said what became of it. It is of a payment's
-- user, and so in that bucket; the tenant is that of whoever asked.
CREATE TABLE payments.refunds (
    bucket          smallint         NOT NULL,
    tenant_id       uuid             NOT NULL,
    user_id         uuid             NOT NULL,
    id              uuid             NOT NULL,
    payment_id      uuid             NOT NULL,
    asked_by        uuid             NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    amount          bigint           NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    reason          text,
    status          text COLLATE "C" NOT NULL,
    failure_code    text,
    traceparent     text,
    recover_after   timestamptz,
    created_at      timestamptz      NOT NULL,
    finalized_at    timestamptz,
    CONSTRAINT refunds_pkey PRIMARY KEY (bucket, user_id, id),
    CONSTRAINT refunds_bucket CHECK (bucket = get_byte(uuid_send(user_id), 15) & 15),
    CONSTRAINT refunds_of_a_payment_fkey FOREIGN KEY (payment_id, user_id) REFERENCES public.payments (id, user_id),
    CONSTRAINT refunds_amount CHECK (amount > 0),
    CONSTRAINT refunds_reason CHECK (char_length(reason) BETWEEN 1 AND 140),
    CONSTRAINT refunds_status CHECK (status IN ('PENDING', 'COMPLETED', 'REFUSED')),
    CONSTRAINT refunds_final CHECK ((status = 'PENDING') = (finalized_at IS NULL)),
    CONSTRAINT refunds_refused CHECK ((status = 'REFUSED') = (failure_code IS NOT NULL))
) WITH (fillfactor = 80);
-- A refund by its id alone, as it is asked for.
CREATE INDEX refunds_by_id ON payments.refunds (id);
CREATE INDEX refunds_of_a_payment ON payments.refunds (payment_id, created_at DESC, id DESC);
-- What recovery polls, and what wallets keep room for; those that ended are not in it.
CREATE INDEX refunds_pending ON payments.refunds (recover_after NULLS FIRST, created_at) WHERE status = 'PENDING';

GRANT SELECT, INSERT ON payments.refunds TO strongbox_app;
GRANT UPDATE (status, failure_code, recover_after, finalized_at) ON payments.refunds TO strongbox_app;
