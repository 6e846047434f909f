-- What was signed for the chain, and with which nonces. No row is a tenant's: requests are known by their ids alone.
-- Hashes and addresses are 0x and lower-case hexadecimal digits.
CREATE SCHEMA chain;

-- The contract that is minted on, one at the most: nothing is signed for another chain or another contract. Of one that
-- was deployed from here the transaction is kept, before it was sent.
CREATE TABLE chain.contracts (
    is_the_one               boolean          NOT NULL DEFAULT true,
    chain_id                 bigint           NOT NULL,
    address                  text COLLATE "C" NOT NULL,
    first_block              bigint           NOT NULL, -- none of its events is in one before
    settled_block            bigint           NOT NULL, -- up to it all events were noted, as deep as was asked for
    sender                   text COLLATE "C",
    nonce                    bigint,
    raw                      bytea,
    tx_hash                  text COLLATE "C",
    max_fee_per_gas          numeric(78),
    max_priority_fee_per_gas numeric(78),
    created_at               timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT contracts_pkey PRIMARY KEY (is_the_one),
    CONSTRAINT contracts_only_one CHECK (is_the_one),
    CONSTRAINT contracts_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
    CONSTRAINT contracts_blocks CHECK (first_block >= 0 AND settled_block >= -1),
    CONSTRAINT contracts_deployed CHECK (
        (sender IS NULL) = (nonce IS NULL) AND (sender IS NULL) = (raw IS NULL) AND (sender IS NULL) = (tx_hash IS NULL)
        AND (sender IS NULL) = (max_fee_per_gas IS NULL) AND (sender IS NULL) = (max_priority_fee_per_gas IS NULL)
    )
);

-- The next nonce of each key. Its row is locked until what was signed with the nonce is committed.
CREATE TABLE chain.wallet_nonces (
    address     text COLLATE "C" NOT NULL,
    first_nonce bigint           NOT NULL,
    next_nonce  bigint           NOT NULL,
    created_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT wallet_nonces_pkey PRIMARY KEY (address),
    CONSTRAINT wallet_nonces_address CHECK (address ~ '^0x[0-9a-f]{40}$'),
    CONSTRAINT wallet_nonces_go_on CHECK (first_nonce >= 0 AND next_nonce >= first_nonce)
);

-- Nonces that somebody else spent with the key, as the node told before they were given out here: from, and to the last.
CREATE TABLE chain.foreign_nonces (
    address     text COLLATE "C" NOT NULL,
    first_nonce bigint           NOT NULL,
    last_nonce  bigint           NOT NULL,
    noted_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT foreign_nonces_pkey PRIMARY KEY (address, first_nonce),
    CONSTRAINT foreign_nonces_of_a_wallet FOREIGN KEY (address) REFERENCES chain.wallet_nonces (address),
    CONSTRAINT foreign_nonces_some CHECK (last_nonce >= first_nonce)
);

-- A row a request, with the transaction that was signed for it last. One that was refused before signing has none, and
-- one that was found on the chain, its row lost, has none either: of it the contract's event tells.
CREATE TABLE chain.blockchain_transactions (
    request_id               uuid             NOT NULL,
    recipient                text COLLATE "C" NOT NULL,
    amount                   numeric(78)      NOT NULL,
    status                   text COLLATE "C" NOT NULL,
    sender                   text COLLATE "C",
    nonce                    bigint,
    raw                      bytea,
    tx_hash                  text COLLATE "C",
    max_fee_per_gas          numeric(78),
    max_priority_fee_per_gas numeric(78),
    landed_hash              text COLLATE "C", -- of the transaction that is in the block, whoever sent it
    block_number             bigint,
    failure                  text COLLATE "C",
    signed_at                timestamptz,
    broadcast_at             timestamptz,      -- when a node last took it
    created_at               timestamptz      NOT NULL DEFAULT clock_timestamp(),
    updated_at               timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT blockchain_transactions_pkey PRIMARY KEY (request_id),
    CONSTRAINT blockchain_transactions_nonce UNIQUE (sender, nonce),
    CONSTRAINT blockchain_transactions_of_a_wallet FOREIGN KEY (sender) REFERENCES chain.wallet_nonces (address),
    CONSTRAINT blockchain_transactions_recipient CHECK (recipient ~ '^0x[0-9a-f]{40}$'),
    CONSTRAINT blockchain_transactions_amount CHECK (
        amount > 0 AND amount < 115792089237316195423570985008687907853269984665640564039457584007913129639936
    ),
    CONSTRAINT blockchain_transactions_status CHECK (
        status IN ('SIGNED', 'BROADCAST', 'MINED', 'CONFIRMED', 'FAILED')
    ),
    CONSTRAINT blockchain_transactions_signed CHECK (
        (sender IS NULL) = (nonce IS NULL) AND (sender IS NULL) = (raw IS NULL) AND (sender IS NULL) = (tx_hash IS NULL)
        AND (sender IS NULL) = (max_fee_per_gas IS NULL) AND (sender IS NULL) = (max_priority_fee_per_gas IS NULL)
        AND (sender IS NULL) = (signed_at IS NULL) AND (sender IS NOT NULL OR status IN ('CONFIRMED', 'FAILED'))
    ),
    CONSTRAINT blockchain_transactions_mined CHECK (
        (landed_hash IS NULL) = (block_number IS NULL)
        AND (landed_hash IS NULL OR status IN ('MINED', 'CONFIRMED', 'FAILED'))
        AND (landed_hash IS NOT NULL OR status NOT IN ('MINED', 'CONFIRMED'))
    ),
    CONSTRAINT blockchain_transactions_failed CHECK ((failure IS NULL) = (status <> 'FAILED'))
) WITH (fillfactor = 70);
-- What is followed: of all that was ever signed the few that are not final.
CREATE INDEX blockchain_transactions_open ON chain.blockchain_transactions (sender, nonce)
    WHERE status IN ('SIGNED', 'BROADCAST', 'MINED');
-- What is an alarm: none.
CREATE INDEX blockchain_transactions_other_content ON chain.blockchain_transactions (request_id)
    WHERE failure = 'OTHER_CONTENT';

-- What was signed before for a request, or once more behind it. Either may land: a replacement has the same nonce and
-- higher fees, and so has what fills a nonce that held up others; what was signed because somebody else had spent the
-- nonce, or because the key was changed, has another.
CREATE TABLE chain.superseded_transactions (
    tx_hash                  text COLLATE "C" NOT NULL,
    request_id               uuid             NOT NULL,
    sender                   text COLLATE "C" NOT NULL,
    nonce                    bigint           NOT NULL,
    raw                      bytea            NOT NULL,
    max_fee_per_gas          numeric(78)      NOT NULL,
    max_priority_fee_per_gas numeric(78)      NOT NULL,
    reason                   text COLLATE "C" NOT NULL,
    signed_at                timestamptz      NOT NULL,
    superseded_at            timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT superseded_transactions_pkey PRIMARY KEY (tx_hash),
    CONSTRAINT superseded_transactions_of_a_request FOREIGN KEY (request_id)
        REFERENCES chain.blockchain_transactions (request_id),
    CONSTRAINT superseded_transactions_reason CHECK (reason IN ('stuck', 'stranger', 'rotated', 'filling'))
);
CREATE INDEX superseded_transactions_of_requests ON chain.superseded_transactions (request_id);
CREATE INDEX superseded_transactions_nonces ON chain.superseded_transactions (sender, nonce);

GRANT USAGE ON SCHEMA chain TO strongbox_app;
-- What fills nonces of which nobody knows what was signed with them: it does nothing else.
CREATE TABLE chain.filling_transactions (
    tx_hash                  text COLLATE "C" NOT NULL,
    sender                   text COLLATE "C" NOT NULL,
    nonce                    bigint           NOT NULL,
    raw                      bytea            NOT NULL,
    max_fee_per_gas          numeric(78)      NOT NULL,
    max_priority_fee_per_gas numeric(78)      NOT NULL,
    signed_at                timestamptz      NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT filling_transactions_pkey PRIMARY KEY (sender, nonce, tx_hash),
    CONSTRAINT filling_transactions_of_a_wallet FOREIGN KEY (sender) REFERENCES chain.wallet_nonces (address)
);

GRANT SELECT, INSERT ON chain.contracts, chain.wallet_nonces, chain.foreign_nonces, chain.blockchain_transactions,
    chain.superseded_transactions, chain.filling_transactions TO strongbox_app;
GRANT UPDATE (address, first_block, settled_block, sender, nonce, raw, tx_hash, max_fee_per_gas,
              max_priority_fee_per_gas)
    ON chain.contracts TO strongbox_app;
GRANT UPDATE (next_nonce) ON chain.wallet_nonces TO strongbox_app;
GRANT UPDATE (status, sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas, landed_hash, block_number,
              failure, signed_at, broadcast_at, updated_at)
    ON chain.blockchain_transactions TO strongbox_app;
