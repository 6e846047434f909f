-- As the owner of the database. The inbox is the kit's: it holds the ids of the events that are in the table.
CREATE SCHEMA spending;
CREATE TABLE spending.inbox (
    event_id    uuid        PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON spending.inbox (received_at);

CREATE TABLE spending.daily (
    user_id  uuid,
    day      date,
    currency text COLLATE "C",  -- by its bytes: no change of a library can put the key out of order
    payments bigint  NOT NULL,
    amount   numeric NOT NULL,
    PRIMARY KEY (user_id, day, currency)
);

GRANT USAGE ON SCHEMA spending TO strongbox_app;
GRANT SELECT, INSERT, DELETE ON spending.inbox TO strongbox_app;
GRANT SELECT, INSERT, UPDATE ON spending.daily TO strongbox_app;
