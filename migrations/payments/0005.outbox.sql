-- An outbox for each context that publishes, in the context's own schema and all of one shape: the table that there was
-- becomes that of payments. What an event is about is its subject; whose it is, where there are several, its tenant.
--
-- Processes of the version before go on: they find views of the old names with all that they use, among it `ctid`, by
-- which they mark, `payment_id`, and a sequence that is never behind. Those three go in a later version; the views stay,
-- for whoever reads them. No row is rewritten: the tables are locked for moments.
CREATE SCHEMA payments;

ALTER TABLE public.outbox_events SET SCHEMA payments;
ALTER TABLE payments.outbox_events RENAME payment_id TO subject;
ALTER TABLE payments.outbox_events ADD tenant_id uuid;
ALTER TABLE public.outbox_leases SET SCHEMA payments;

CREATE VIEW public.outbox_events AS
    SELECT user_id, id, event_id, subject, sequence, type, payload, partition, attempts, retry_at, last_error,
           created_at, sent_at, tenant_id, subject AS payment_id, ctid
    FROM payments.outbox_events;
CREATE VIEW public.outbox_leases AS SELECT partition, owner, epoch, leased_until FROM payments.outbox_leases;
CREATE SEQUENCE public.outbox_events_id_seq START 9223372036854775807;

GRANT USAGE ON SCHEMA payments TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.outbox_events TO strongbox_app;
GRANT SELECT, UPDATE ON public.outbox_leases TO strongbox_app;
GRANT SELECT ON SEQUENCE public.outbox_events_id_seq TO strongbox_app;

-- Whoever else may read the tables may read the views.
DO $$
DECLARE
    reader text;
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbox_events', 'outbox_leases'] LOOP
        FOR reader IN
            SELECT CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
            FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl
            WHERE c.oid = to_regclass('payments.' || name) AND acl.privilege_type = 'SELECT'
        LOOP
            EXECUTE format('GRANT SELECT ON public.%I TO %s', name, reader);
        END LOOP;
    END LOOP;
END
$$;
