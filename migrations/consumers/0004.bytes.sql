-- As 0003, for what the consumers keep.
ALTER TABLE metrics.totals
    ALTER status TYPE text COLLATE "C",
    ALTER currency TYPE text COLLATE "C";

GRANT SELECT ON SEQUENCE audit.actions_id_seq TO strongbox_app;
