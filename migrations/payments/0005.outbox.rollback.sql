DROP VIEW public.outbox_events, public.outbox_leases;
DROP SEQUENCE public.outbox_events_id_seq;
ALTER TABLE payments.outbox_events DROP tenant_id;
ALTER TABLE payments.outbox_events RENAME subject TO payment_id;
ALTER TABLE payments.outbox_events SET SCHEMA public;
ALTER TABLE payments.outbox_leases SET SCHEMA public;
DROP SCHEMA payments;
