-- What is given back of a payment takes its cashback back. A refund names its payment, not to whom that went; and it may
-- be heard of before its payment is, or before anybody knows whose its user is.
--
-- `purchases` is locked while its new index is made; no row is rewritten. Processes of the version before go on.
CREATE INDEX purchases_of_payments ON rewards.purchases (tenant_id, reference) WHERE source = 'payment';

-- It belongs to nobody, as all that waits: whoever hears of the payment takes it.
CREATE TABLE rewards.parked_refunds (
    user_id    uuid             NOT NULL,
    payment_id uuid             NOT NULL,
    event_id   uuid             NOT NULL,
    refund_id  uuid             NOT NULL,
    amount     bigint           NOT NULL,
    currency   text COLLATE "C" NOT NULL,
    CONSTRAINT parked_refunds_pkey PRIMARY KEY (user_id, payment_id, event_id),
    CONSTRAINT parked_refunds_amount CHECK (amount > 0)
);
GRANT SELECT, INSERT, DELETE ON rewards.parked_refunds TO strongbox_app;
