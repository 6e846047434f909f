-- transactional: false
-- What looking back needs: what was set aside of a wallet until a time, and the ledger by day.
--
-- Processes of the version before go on, and so does everybody who writes: the ledger is walked over twice for each index,
-- with nothing locked. Where that was ended half-way, what it left is dropped first.

DROP INDEX CONCURRENTLY IF EXISTS ledger_entries_held;
-- A wallet's balance stands in its entries. What is set aside does not: it is added up.
CREATE INDEX CONCURRENTLY ledger_entries_held ON ledger_entries (user_id, currency, created_at) INCLUDE (amount)
    WHERE account = 'held';

DROP INDEX CONCURRENTLY IF EXISTS ledger_entries_by_time;
-- Entries come in by their time, and stay where they are: the index notes which times a range of pages holds.
CREATE INDEX CONCURRENTLY ledger_entries_by_time ON ledger_entries USING brin (created_at) WITH (autosummarize = on);
