-- The role stays: other databases of the cluster may use it.
DROP TABLE outbox_leases, outbox_events, idempotency_keys, ledger_entries, transactions, payments,
    wallet_balances, service_providers;
REVOKE USAGE ON SCHEMA public FROM strongbox_app;
