DROP INDEX ledger_entries_by_time, ledger_entries_held;
