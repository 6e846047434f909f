REVOKE SELECT ON SEQUENCE outbox_events_id_seq FROM strongbox_app;
ALTER TABLE ledger_entries
    ALTER account TYPE text COLLATE "default",
    ALTER currency TYPE text COLLATE "default";
ALTER TABLE transactions
    ALTER kind TYPE text COLLATE "default",
    ALTER reference TYPE text COLLATE "default",
    ALTER currency TYPE text COLLATE "default";
ALTER TABLE wallet_balances ALTER currency TYPE text COLLATE "default";
