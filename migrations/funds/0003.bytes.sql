-- Texts that are part of a key or an index are compared by their bytes. The order of any other collation belongs to a
-- library of the operating system: when that changes, an index that was made before finds what is in it no more, and a
-- reference pays in twice.
--
-- Each table is locked while its indexes are made again and its constraints are checked; its rows are not rewritten.
ALTER TABLE wallet_balances ALTER currency TYPE text COLLATE "C";
ALTER TABLE transactions
    ALTER kind TYPE text COLLATE "C",
    ALTER reference TYPE text COLLATE "C",
    ALTER currency TYPE text COLLATE "C";
ALTER TABLE ledger_entries
    ALTER account TYPE text COLLATE "C",
    ALTER currency TYPE text COLLATE "C";

-- Whether events would be numbered behind those that wait: a logical copy leaves the sequence at its beginning.
GRANT SELECT ON SEQUENCE outbox_events_id_seq TO strongbox_app;
