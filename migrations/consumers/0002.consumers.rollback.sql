-- The role stays: other databases of the cluster may use it.
DROP TABLE metrics.latency, metrics.totals, metrics.inbox, audit.actions, audit.head, audit.events;
DROP SCHEMA metrics;
DROP SCHEMA audit;
