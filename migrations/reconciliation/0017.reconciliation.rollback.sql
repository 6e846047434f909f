DROP INDEX payments.refunds_finalized;
DROP INDEX public.payments_finalized;
DROP SCHEMA reconciliation CASCADE;
