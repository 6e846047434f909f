REVOKE SELECT ON SEQUENCE audit.actions_id_seq FROM strongbox_app;
ALTER TABLE metrics.totals
    ALTER status TYPE text COLLATE "default",
    ALTER currency TYPE text COLLATE "default";
