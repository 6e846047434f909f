DROP SCHEMA auctions CASCADE;
-- Funds and ordering go on with their keys; where there are neither, these were ours.
DO $$ BEGIN
    IF to_regclass('public.holds') IS NULL AND to_regclass('ordering.orders') IS NULL
        AND to_regclass('rewards.entries') IS NULL THEN
        DROP TABLE public.v1_idempotency_keys;
    END IF;
END $$;
