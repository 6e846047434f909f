DROP SCHEMA ordering CASCADE;
-- Funds go on with their keys; where there are none, these were ours.
DO $$ BEGIN
    IF to_regclass('public.holds') IS NULL THEN
        DROP TABLE public.v1_idempotency_keys;
    END IF;
END $$;
