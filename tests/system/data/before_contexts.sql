SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA audit;
CREATE SCHEMA metrics;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE audit.actions (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    operator text NOT NULL,
    action text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE audit.actions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.actions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE audit.events (
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject uuid NOT NULL,
    sequence smallint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    payload json NOT NULL,
    hash bytea NOT NULL,
    previous_hash bytea NOT NULL,
    CONSTRAINT events_hashes CHECK (((octet_length(hash) = 32) AND (octet_length(previous_hash) = 32))),
    CONSTRAINT events_position CHECK (("position" > 0))
);
CREATE TABLE audit.head (
    singleton boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT head_hash CHECK ((octet_length(hash) = 32)),
    CONSTRAINT head_is_one_row CHECK (singleton)
);
CREATE TABLE metrics.inbox (
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE metrics.latency (
    le double precision NOT NULL,
    count bigint NOT NULL,
    sum_s double precision NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE metrics.totals (
    status text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    amount numeric NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);
CREATE TABLE public.idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint bytea NOT NULL,
    payment_id uuid,
    response_status smallint,
    response_body bytea,
    created_at timestamp with time zone NOT NULL,
    finalized_at timestamp with time zone,
    CONSTRAINT idempotency_keys_final CHECK ((((finalized_at IS NULL) = (response_status IS NULL)) AND ((finalized_at IS NULL) = (response_body IS NULL))))
)
WITH (fillfactor='67');
CREATE TABLE public.ledger_entries (
    user_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL COLLATE pg_catalog."C",
    amount bigint NOT NULL,
    balance_after bigint,
    wallet_version bigint,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_entries_account CHECK ((account = ANY (ARRAY['wallet'::text, 'payments'::text, 'funding'::text]))),
    CONSTRAINT ledger_entries_amount CHECK ((amount <> 0)),
    CONSTRAINT ledger_entries_not_negative CHECK ((balance_after >= 0)),
    CONSTRAINT ledger_entries_wallet CHECK ((((account = 'wallet'::text) = (balance_after IS NOT NULL)) AND ((account = 'wallet'::text) = (wallet_version IS NOT NULL))))
);
CREATE TABLE public.outbox_events (
    user_id uuid NOT NULL,
    id bigint NOT NULL,
    event_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    sequence smallint NOT NULL,
    type text NOT NULL,
    payload json NOT NULL,
    partition smallint NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone
)
WITH (fillfactor='85');
ALTER TABLE public.outbox_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.outbox_leases (
    partition smallint NOT NULL,
    owner text,
    epoch bigint DEFAULT 0 NOT NULL,
    leased_until timestamp with time zone
);
CREATE TABLE public.payments (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    provider_id uuid NOT NULL,
    external_reference text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    failure_code text,
    void_requested_at timestamp with time zone,
    recover_after timestamp with time zone,
    traceparent text,
    created_at timestamp with time zone NOT NULL,
    finalized_at timestamp with time zone,
    CONSTRAINT payments_amount CHECK ((amount > 0)),
    CONSTRAINT payments_final CHECK (((status = 'PENDING'::text) = (finalized_at IS NULL))),
    CONSTRAINT payments_marked_is_never_approved CHECK (((status <> 'APPROVED'::text) OR (void_requested_at IS NULL))),
    CONSTRAINT payments_status CHECK ((status = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'DECLINED'::text, 'FAILED'::text])))
)
WITH (fillfactor='85');
CREATE TABLE public.service_providers (
    id uuid NOT NULL,
    name text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT service_providers_name_check CHECK ((name <> ''::text))
);
CREATE TABLE public.transactions (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    payment_id uuid,
    reference text COLLATE pg_catalog."C",
    amount bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT transactions_amount CHECK ((amount > 0)),
    CONSTRAINT transactions_kind CHECK ((kind = ANY (ARRAY['FUNDING'::text, 'PAYMENT'::text, 'REFUND'::text]))),
    CONSTRAINT transactions_of_a_payment CHECK (((kind = 'FUNDING'::text) = (payment_id IS NULL))),
    CONSTRAINT transactions_status CHECK ((status = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'DECLINED'::text, 'FAILED'::text, 'COMPLETED'::text])))
)
WITH (fillfactor='85');
CREATE TABLE public.wallet_balances (
    user_id uuid NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    current_balance bigint NOT NULL,
    version bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT wallet_balances_currency CHECK ((currency ~ '\A[A-Z]{3,5}\Z'::text)),
    CONSTRAINT wallet_balances_not_negative CHECK ((current_balance >= 0))
)
WITH (fillfactor='70');
CREATE TABLE public.yoyo_lock (
    locked integer DEFAULT 1 NOT NULL,
    ctime timestamp without time zone,
    pid integer NOT NULL
);
INSERT INTO audit.actions OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-27 17:08:11.103378+00', 'root', 'provider add', '{"id": "0190c7a0-0000-7000-8000-00000000000a", "name": "Demo provider"}');
INSERT INTO audit.actions OVERRIDING SYSTEM VALUE VALUES (2, '2026-11-27 17:08:14.844738+00', 'root', 'wallet fund', '{"amount": 10000000, "user_id": "0190c7a0-0000-7000-8000-000000000001", "currency": "USD", "reference": "demo"}');
INSERT INTO audit.events VALUES (1, '01a21dfa-e772-77d4-a7e8-8ff1c6ba6379', 'payment.created', '01a21dfa-e766-705c-91c8-2f6846652728', 1, '2026-11-27 17:08:32.241086+00', '2026-11-27 17:08:32.413333+00', '{"specversion":"1.0","id":"01a21dfa-e772-77d4-a7e8-8ff1c6ba6379","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e766-705c-91c8-2f6846652728","time":"2026-11-27T17:08:32.241086Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e766-705c-91c8-2f6846652728","transaction_id":"01a21dfa-e766-7731-ab74-0d949974e9e6","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-1","amount":1250,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.241086Z","finalized_at":null}}', '\xaca56910f8caaedbf8045abd075d215b5269f47796adad76c24e48d28717455a', '\x0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO audit.events VALUES (2, '01a21dfa-e799-79ed-9521-e5894afbe0a1', 'payment.completed', '01a21dfa-e766-705c-91c8-2f6846652728', 2, '2026-11-27 17:08:32.274598+00', '2026-11-27 17:08:32.431962+00', '{"specversion":"1.0","id":"01a21dfa-e799-79ed-9521-e5894afbe0a1","source":"/strongbox","type":"payment.completed","subject":"01a21dfa-e766-705c-91c8-2f6846652728","time":"2026-11-27T17:08:32.274598Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e766-705c-91c8-2f6846652728","transaction_id":"01a21dfa-e766-7731-ab74-0d949974e9e6","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-1","amount":1250,"currency":"USD","status":"APPROVED","failure_code":null,"created_at":"2026-11-27T17:08:32.241086Z","finalized_at":"2026-11-27T17:08:32.274598Z"}}', '\xbf12da3090d7c8f6ec2b13be9fca1cb2511d53eddbb3f23afd6f1912565c247d', '\xaca56910f8caaedbf8045abd075d215b5269f47796adad76c24e48d28717455a');
INSERT INTO audit.events VALUES (3, '01a21dfa-e7ee-76e0-b8da-d7fcddf7fc97', 'payment.created', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', 1, '2026-11-27 17:08:32.366336+00', '2026-11-27 17:08:32.431962+00', '{"specversion":"1.0","id":"01a21dfa-e7ee-76e0-b8da-d7fcddf7fc97","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","time":"2026-11-27T17:08:32.366336Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","transaction_id":"01a21dfa-e7ed-7d56-9f7c-989be886fd24","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-2","amount":900,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.366336Z","finalized_at":null}}', '\x99741dbf8fe3c39a596289c3b5149167a7459977a1137dacb52141aefd81b695', '\xbf12da3090d7c8f6ec2b13be9fca1cb2511d53eddbb3f23afd6f1912565c247d');
INSERT INTO audit.events VALUES (4, '01a21dfa-e7f9-7445-ab78-92ca24e3a24d', 'payment.completed', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', 2, '2026-11-27 17:08:32.377002+00', '2026-11-27 17:08:32.508639+00', '{"specversion":"1.0","id":"01a21dfa-e7f9-7445-ab78-92ca24e3a24d","source":"/strongbox","type":"payment.completed","subject":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","time":"2026-11-27T17:08:32.377002Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","transaction_id":"01a21dfa-e7ed-7d56-9f7c-989be886fd24","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-2","amount":900,"currency":"USD","status":"APPROVED","failure_code":null,"created_at":"2026-11-27T17:08:32.366336Z","finalized_at":"2026-11-27T17:08:32.377002Z"}}', '\xb12fc8d4a582a78d3010ef16c49108816fd0976edaed2af48223f22d259cb70d', '\x99741dbf8fe3c39a596289c3b5149167a7459977a1137dacb52141aefd81b695');
INSERT INTO audit.events VALUES (5, '01a21dfa-e884-755b-8e78-0dfa99a38588', 'payment.created', '01a21dfa-e881-7486-b888-b8c56979a768', 1, '2026-11-27 17:08:32.515004+00', '2026-11-27 17:08:32.62103+00', '{"specversion":"1.0","id":"01a21dfa-e884-755b-8e78-0dfa99a38588","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.515004Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","transaction_id":"01a21dfa-e881-71be-8b54-0863b719cef4","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-3","amount":500,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.515004Z","finalized_at":null}}', '\x6d34e6b714e75f3f97316120bd4bbefff73fd7126827309c0c5c2d906b8f9211', '\xb12fc8d4a582a78d3010ef16c49108816fd0976edaed2af48223f22d259cb70d');
INSERT INTO audit.events VALUES (6, '01a21dfa-e8cb-7306-961a-c43a84786b8c', 'payment.created', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 1, '2026-11-27 17:08:32.586672+00', '2026-11-27 17:08:32.62103+00', '{"specversion":"1.0","id":"01a21dfa-e8cb-7306-961a-c43a84786b8c","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.586672Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","transaction_id":"01a21dfa-e8c9-705b-92a8-c2292caba201","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-4","amount":600,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.586672Z","finalized_at":null}}', '\xe8fe624d198fed4fc6baf39e4f44898fd75000c9203ab218174323e35658a842', '\x6d34e6b714e75f3f97316120bd4bbefff73fd7126827309c0c5c2d906b8f9211');
INSERT INTO audit.events VALUES (7, '01a21dfa-e890-7342-b0ea-3682e92ace1f', 'payment.failed', '01a21dfa-e881-7486-b888-b8c56979a768', 2, '2026-11-27 17:08:32.527997+00', '2026-11-27 17:08:32.662297+00', '{"specversion":"1.0","id":"01a21dfa-e890-7342-b0ea-3682e92ace1f","source":"/strongbox","type":"payment.failed","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.527997Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","transaction_id":"01a21dfa-e881-71be-8b54-0863b719cef4","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-3","amount":500,"currency":"USD","status":"DECLINED","failure_code":"DO_NOT_HONOR","created_at":"2026-11-27T17:08:32.515004Z","finalized_at":"2026-11-27T17:08:32.527997Z"}}', '\x984344f956ab5df8e15623fcf1d86114bb325a022ec62ba1e24852a0c746836e', '\xe8fe624d198fed4fc6baf39e4f44898fd75000c9203ab218174323e35658a842');
INSERT INTO audit.events VALUES (8, '01a21dfa-e890-722e-8f27-956ee0c76075', 'refund.created', '01a21dfa-e881-7486-b888-b8c56979a768', 3, '2026-11-27 17:08:32.527997+00', '2026-11-27 17:08:32.662297+00', '{"specversion":"1.0","id":"01a21dfa-e890-722e-8f27-956ee0c76075","source":"/strongbox","type":"refund.created","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.527997Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:refund:1","sequence":3,"data":{"refund_id":"01a21dfa-e890-7625-9514-fbe24a30393b","payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","user_id":"0190c7a0-0000-7000-8000-000000000001","amount":500,"currency":"USD","created_at":"2026-11-27T17:08:32.527997Z"}}', '\x4d88105cc05859455199e2a10458afced03c4d2a13c03184e4830be37db105eb', '\x984344f956ab5df8e15623fcf1d86114bb325a022ec62ba1e24852a0c746836e');
INSERT INTO audit.events VALUES (9, '01a21dfa-e95a-7d6b-92fb-93cbc227f5b5', 'payment.failed', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 2, '2026-11-27 17:08:32.730175+00', '2026-11-27 17:08:32.816626+00', '{"specversion":"1.0","id":"01a21dfa-e95a-7d6b-92fb-93cbc227f5b5","source":"/strongbox","type":"payment.failed","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.730175Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","transaction_id":"01a21dfa-e8c9-705b-92a8-c2292caba201","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-4","amount":600,"currency":"USD","status":"FAILED","failure_code":"GATEWAY_ERROR","created_at":"2026-11-27T17:08:32.586672Z","finalized_at":"2026-11-27T17:08:32.730175Z"}}', '\x8c352b48241a6bda04438cae1ff62374b02f5521e48179b0b7f45c1ab872618c', '\x4d88105cc05859455199e2a10458afced03c4d2a13c03184e4830be37db105eb');
INSERT INTO audit.events VALUES (10, '01a21dfa-e95a-7e77-9cc7-8a7be7708ddb', 'refund.created', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 3, '2026-11-27 17:08:32.730175+00', '2026-11-27 17:08:32.869155+00', '{"specversion":"1.0","id":"01a21dfa-e95a-7e77-9cc7-8a7be7708ddb","source":"/strongbox","type":"refund.created","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.730175Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:refund:1","sequence":3,"data":{"refund_id":"01a21dfa-e95a-7eef-b73d-c724234fd17c","payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","user_id":"0190c7a0-0000-7000-8000-000000000001","amount":600,"currency":"USD","created_at":"2026-11-27T17:08:32.730175Z"}}', '\xd16c4df8f50d48765d8c32fa692d83021ad8aabfc949431c91e21bdb3793d8b8', '\x8c352b48241a6bda04438cae1ff62374b02f5521e48179b0b7f45c1ab872618c');
INSERT INTO audit.head VALUES (true, 10, '\xd16c4df8f50d48765d8c32fa692d83021ad8aabfc949431c91e21bdb3793d8b8');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e772-77d4-a7e8-8ff1c6ba6379', '2026-11-27 17:08:32.368787+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e799-79ed-9521-e5894afbe0a1', '2026-11-27 17:08:32.394945+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e7ee-76e0-b8da-d7fcddf7fc97', '2026-11-27 17:08:32.394945+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e7f9-7445-ab78-92ca24e3a24d', '2026-11-27 17:08:32.509074+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e884-755b-8e78-0dfa99a38588', '2026-11-27 17:08:32.613091+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e8cb-7306-961a-c43a84786b8c', '2026-11-27 17:08:32.613091+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e890-7342-b0ea-3682e92ace1f', '2026-11-27 17:08:32.658826+00');
INSERT INTO metrics.inbox VALUES ('01a21dfa-e95a-7d6b-92fb-93cbc227f5b5', '2026-11-27 17:08:32.817126+00');
INSERT INTO metrics.latency VALUES (0.05, 2, 0.055028);
INSERT INTO metrics.latency VALUES (0.25, 4, 0.510949);
INSERT INTO metrics.latency VALUES (0.1, 2, 0.18503799999999998);
INSERT INTO metrics.totals VALUES ('APPROVED', 'USD', 2, 2150);
INSERT INTO metrics.totals VALUES ('PENDING', 'USD', 4, 3250);
INSERT INTO metrics.totals VALUES ('DECLINED', 'USD', 1, 500);
INSERT INTO metrics.totals VALUES ('FAILED', 'USD', 1, 600);
INSERT INTO public._yoyo_migration VALUES ('d817248062b4739820087125471ebb6bf54498402130da036faa3538d59f631e', '0001.ledger', '2026-11-27 17:08:05.417448');
INSERT INTO public._yoyo_migration VALUES ('8ace66bdde78f00bc6c924154893cfb9ad373cc7c684679a827c71031b735f0a', '0003.bytes', '2026-11-27 17:08:05.52364');
INSERT INTO public._yoyo_migration VALUES ('b517318aec40310eb7b7bca7427d7f6c34f0da08fff6375c0bd8f3489a97046e', '0002.consumers', '2026-11-27 17:08:06.09722');
INSERT INTO public._yoyo_migration VALUES ('aa9ca3e08d65d27f6961172e39b968c8ab77f5501259fed40bd73cfcc86bc9e3', '0004.bytes', '2026-11-27 17:08:06.198547');
INSERT INTO public._yoyo_version VALUES (2, '2026-11-27 17:08:05.065101');
INSERT INTO public.idempotency_keys VALUES ('0190c7a0-0000-7000-8000-000000000001', 'key-1', '\x412458e4757880acc920f01019bcb04626bc3827a6dbab8d9fae47a1a41ebb62', '01a21dfa-e766-705c-91c8-2f6846652728', 201, '\x7b227061796d656e745f6964223a2230316132316466612d653736362d373035632d393163382d326636383436363532373238222c227472616e73616374696f6e5f6964223a2230316132316466612d653736362d373733312d616237342d306439343939373465396536222c22757365725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303031222c2270726f76696465725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303061222c2265787465726e616c5f7265666572656e6365223a226f726465722d31222c22616d6f756e74223a313235302c2263757272656e6379223a22555344222c22737461747573223a22415050524f564544222c226661696c7572655f636f6465223a6e756c6c2c22637265617465645f6174223a22323032362d31312d32375431373a30383a33322e3234313038365a222c2266696e616c697a65645f6174223a22323032362d31312d32375431373a30383a33322e3237343539385a227d', '2026-11-27 17:08:32.231302+00', '2026-11-27 17:08:32.291268+00');
INSERT INTO public.idempotency_keys VALUES ('0190c7a0-0000-7000-8000-000000000001', 'key-2', '\x3d1071b4b7b9f1fb834cb7ecc1112beb5060fc1c23213c0ae5592634db030c61', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', 201, '\x7b227061796d656e745f6964223a2230316132316466612d653765642d373864622d626233382d383164633465623932633261222c227472616e73616374696f6e5f6964223a2230316132316466612d653765642d376435362d396637632d393839626538383666643234222c22757365725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303031222c2270726f76696465725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303061222c2265787465726e616c5f7265666572656e6365223a226f726465722d32222c22616d6f756e74223a3930302c2263757272656e6379223a22555344222c22737461747573223a22415050524f564544222c226661696c7572655f636f6465223a6e756c6c2c22637265617465645f6174223a22323032362d31312d32375431373a30383a33322e3336363333365a222c2266696e616c697a65645f6174223a22323032362d31312d32375431373a30383a33322e3337373030325a227d', '2026-11-27 17:08:32.365988+00', '2026-11-27 17:08:32.387175+00');
INSERT INTO public.idempotency_keys VALUES ('0190c7a0-0000-7000-8000-000000000001', 'key-3', '\xac7b26f30f29fc6c1b3f3d5985ff5dcfba13f065ebf1fd024f8398115cd1605e', '01a21dfa-e881-7486-b888-b8c56979a768', 201, '\x7b227061796d656e745f6964223a2230316132316466612d653838312d373438362d623838382d623863353639373961373638222c227472616e73616374696f6e5f6964223a2230316132316466612d653838312d373162652d386235342d303836336237313963656634222c22757365725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303031222c2270726f76696465725f6964223a2230313930633761302d303030302d373030302d383030302d303030303030303030303061222c2265787465726e616c5f7265666572656e6365223a226f726465722d33222c22616d6f756e74223a3530302c2263757272656e6379223a22555344222c22737461747573223a224445434c494e4544222c226661696c7572655f636f6465223a22444f5f4e4f545f484f4e4f52222c22637265617465645f6174223a22323032362d31312d32375431373a30383a33322e3531353030345a222c2266696e616c697a65645f6174223a22323032362d31312d32375431373a30383a33322e3532373939375a227d', '2026-11-27 17:08:32.514644+00', '2026-11-27 17:08:32.530341+00');
INSERT INTO public.idempotency_keys VALUES ('0190c7a0-0000-7000-8000-000000000001', 'key-4', '\x7457849976e66c8241fe4cbafd255373bcc95748759dd16c57d1e4cee8845e9d', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 502, '\x7b226572726f72223a7b22636f6465223a22474154455741595f4552524f52222c226d657373616765223a22746865207061796d656e74206761746577617920616e737765726564207769746820616e206572726f723b20746865207061796d656e74206661696c656420616e64206974732066756e647320617265206261636b20696e207468652077616c6c6574222c2264657461696c73223a7b227061796d656e745f6964223a2230316132316466612d653863392d373266352d623633632d636139366331323531346161222c22737461747573223a224641494c4544222c22726566756e646564223a747275657d7d7d', '2026-11-27 17:08:32.586211+00', '2026-11-27 17:08:32.731575+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-a34c-7e06-9cc6-f8754ab7eda7', 'wallet', 'USD', 10000000, 10000000, 1, '2026-11-27 17:08:14.795638+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-a34c-7e06-9cc6-f8754ab7eda7', 'funding', 'USD', -10000000, NULL, NULL, '2026-11-27 17:08:14.795638+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e766-7731-ab74-0d949974e9e6', 'wallet', 'USD', -1250, 9998750, 2, '2026-11-27 17:08:32.241086+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e766-7731-ab74-0d949974e9e6', 'payments', 'USD', 1250, NULL, NULL, '2026-11-27 17:08:32.241086+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e7ed-7d56-9f7c-989be886fd24', 'wallet', 'USD', -900, 9997850, 3, '2026-11-27 17:08:32.366336+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e7ed-7d56-9f7c-989be886fd24', 'payments', 'USD', 900, NULL, NULL, '2026-11-27 17:08:32.366336+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e881-71be-8b54-0863b719cef4', 'wallet', 'USD', -500, 9997350, 4, '2026-11-27 17:08:32.515004+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e881-71be-8b54-0863b719cef4', 'payments', 'USD', 500, NULL, NULL, '2026-11-27 17:08:32.515004+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e890-7625-9514-fbe24a30393b', 'wallet', 'USD', 500, 9997850, 5, '2026-11-27 17:08:32.527997+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e890-7625-9514-fbe24a30393b', 'payments', 'USD', -500, NULL, NULL, '2026-11-27 17:08:32.527997+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e8c9-705b-92a8-c2292caba201', 'wallet', 'USD', -600, 9997250, 6, '2026-11-27 17:08:32.586672+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e8c9-705b-92a8-c2292caba201', 'payments', 'USD', 600, NULL, NULL, '2026-11-27 17:08:32.586672+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e95a-7eef-b73d-c724234fd17c', 'wallet', 'USD', 600, 9997850, 7, '2026-11-27 17:08:32.730175+00');
INSERT INTO public.ledger_entries VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e95a-7eef-b73d-c724234fd17c', 'payments', 'USD', -600, NULL, NULL, '2026-11-27 17:08:32.730175+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 1, '01a21dfa-e772-77d4-a7e8-8ff1c6ba6379', '01a21dfa-e766-705c-91c8-2f6846652728', 1, 'payment.created', '{"specversion":"1.0","id":"01a21dfa-e772-77d4-a7e8-8ff1c6ba6379","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e766-705c-91c8-2f6846652728","time":"2026-11-27T17:08:32.241086Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e766-705c-91c8-2f6846652728","transaction_id":"01a21dfa-e766-7731-ab74-0d949974e9e6","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-1","amount":1250,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.241086Z","finalized_at":null}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.241086+00', '2026-11-27 17:08:32.331206+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 3, '01a21dfa-e7ee-76e0-b8da-d7fcddf7fc97', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', 1, 'payment.created', '{"specversion":"1.0","id":"01a21dfa-e7ee-76e0-b8da-d7fcddf7fc97","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","time":"2026-11-27T17:08:32.366336Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","transaction_id":"01a21dfa-e7ed-7d56-9f7c-989be886fd24","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-2","amount":900,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.366336Z","finalized_at":null}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.366336+00', '2026-11-27 17:08:32.409272+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 2, '01a21dfa-e799-79ed-9521-e5894afbe0a1', '01a21dfa-e766-705c-91c8-2f6846652728', 2, 'payment.completed', '{"specversion":"1.0","id":"01a21dfa-e799-79ed-9521-e5894afbe0a1","source":"/strongbox","type":"payment.completed","subject":"01a21dfa-e766-705c-91c8-2f6846652728","time":"2026-11-27T17:08:32.274598Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e766-705c-91c8-2f6846652728","transaction_id":"01a21dfa-e766-7731-ab74-0d949974e9e6","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-1","amount":1250,"currency":"USD","status":"APPROVED","failure_code":null,"created_at":"2026-11-27T17:08:32.241086Z","finalized_at":"2026-11-27T17:08:32.274598Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.274598+00', '2026-11-27 17:08:32.409272+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 4, '01a21dfa-e7f9-7445-ab78-92ca24e3a24d', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', 2, 'payment.completed', '{"specversion":"1.0","id":"01a21dfa-e7f9-7445-ab78-92ca24e3a24d","source":"/strongbox","type":"payment.completed","subject":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","time":"2026-11-27T17:08:32.377002Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e7ed-78db-bb38-81dc4eb92c2a","transaction_id":"01a21dfa-e7ed-7d56-9f7c-989be886fd24","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-2","amount":900,"currency":"USD","status":"APPROVED","failure_code":null,"created_at":"2026-11-27T17:08:32.366336Z","finalized_at":"2026-11-27T17:08:32.377002Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.377002+00', '2026-11-27 17:08:32.507081+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 8, '01a21dfa-e8cb-7306-961a-c43a84786b8c', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 1, 'payment.created', '{"specversion":"1.0","id":"01a21dfa-e8cb-7306-961a-c43a84786b8c","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.586672Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","transaction_id":"01a21dfa-e8c9-705b-92a8-c2292caba201","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-4","amount":600,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.586672Z","finalized_at":null}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.586672+00', '2026-11-27 17:08:32.620107+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 5, '01a21dfa-e884-755b-8e78-0dfa99a38588', '01a21dfa-e881-7486-b888-b8c56979a768', 1, 'payment.created', '{"specversion":"1.0","id":"01a21dfa-e884-755b-8e78-0dfa99a38588","source":"/strongbox","type":"payment.created","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.515004Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":1,"data":{"payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","transaction_id":"01a21dfa-e881-71be-8b54-0863b719cef4","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-3","amount":500,"currency":"USD","status":"PENDING","failure_code":null,"created_at":"2026-11-27T17:08:32.515004Z","finalized_at":null}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.515004+00', '2026-11-27 17:08:32.620107+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 7, '01a21dfa-e890-722e-8f27-956ee0c76075', '01a21dfa-e881-7486-b888-b8c56979a768', 3, 'refund.created', '{"specversion":"1.0","id":"01a21dfa-e890-722e-8f27-956ee0c76075","source":"/strongbox","type":"refund.created","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.527997Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:refund:1","sequence":3,"data":{"refund_id":"01a21dfa-e890-7625-9514-fbe24a30393b","payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","user_id":"0190c7a0-0000-7000-8000-000000000001","amount":500,"currency":"USD","created_at":"2026-11-27T17:08:32.527997Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.527997+00', '2026-11-27 17:08:32.620107+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 6, '01a21dfa-e890-7342-b0ea-3682e92ace1f', '01a21dfa-e881-7486-b888-b8c56979a768', 2, 'payment.failed', '{"specversion":"1.0","id":"01a21dfa-e890-7342-b0ea-3682e92ace1f","source":"/strongbox","type":"payment.failed","subject":"01a21dfa-e881-7486-b888-b8c56979a768","time":"2026-11-27T17:08:32.527997Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e881-7486-b888-b8c56979a768","transaction_id":"01a21dfa-e881-71be-8b54-0863b719cef4","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-3","amount":500,"currency":"USD","status":"DECLINED","failure_code":"DO_NOT_HONOR","created_at":"2026-11-27T17:08:32.515004Z","finalized_at":"2026-11-27T17:08:32.527997Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.527997+00', '2026-11-27 17:08:32.620107+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 10, '01a21dfa-e95a-7e77-9cc7-8a7be7708ddb', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 3, 'refund.created', '{"specversion":"1.0","id":"01a21dfa-e95a-7e77-9cc7-8a7be7708ddb","source":"/strongbox","type":"refund.created","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.730175Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:refund:1","sequence":3,"data":{"refund_id":"01a21dfa-e95a-7eef-b73d-c724234fd17c","payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","user_id":"0190c7a0-0000-7000-8000-000000000001","amount":600,"currency":"USD","created_at":"2026-11-27T17:08:32.730175Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.730175+00', '2026-11-27 17:08:32.841591+00');
INSERT INTO public.outbox_events OVERRIDING SYSTEM VALUE VALUES ('0190c7a0-0000-7000-8000-000000000001', 9, '01a21dfa-e95a-7d6b-92fb-93cbc227f5b5', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', 2, 'payment.failed', '{"specversion":"1.0","id":"01a21dfa-e95a-7d6b-92fb-93cbc227f5b5","source":"/strongbox","type":"payment.failed","subject":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","time":"2026-11-27T17:08:32.730175Z","datacontenttype":"application/json","dataschema":"urn:strongbox:schema:payment:1","sequence":2,"data":{"payment_id":"01a21dfa-e8c9-72f5-b63c-ca96c12514aa","transaction_id":"01a21dfa-e8c9-705b-92a8-c2292caba201","user_id":"0190c7a0-0000-7000-8000-000000000001","provider_id":"0190c7a0-0000-7000-8000-00000000000a","external_reference":"order-4","amount":600,"currency":"USD","status":"FAILED","failure_code":"GATEWAY_ERROR","created_at":"2026-11-27T17:08:32.586672Z","finalized_at":"2026-11-27T17:08:32.730175Z"}}', 1, 0, NULL, NULL, '2026-11-27 17:08:32.730175+00', '2026-11-27 17:08:32.841591+00');
INSERT INTO public.outbox_leases VALUES (0, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (1, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (2, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (3, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (4, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (5, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (6, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (7, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (8, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (9, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (10, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (11, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (12, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (13, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (14, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.outbox_leases VALUES (15, 'vm/4661/c6cba8cd', 1, '2026-11-27 17:08:51.569713+00');
INSERT INTO public.payments VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e766-705c-91c8-2f6846652728', '01a21dfa-e766-7731-ab74-0d949974e9e6', 'key-1', '0190c7a0-0000-7000-8000-00000000000a', 'order-1', 1250, 'USD', 'APPROVED', NULL, NULL, NULL, NULL, '2026-11-27 17:08:32.241086+00', '2026-11-27 17:08:32.274598+00');
INSERT INTO public.payments VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', '01a21dfa-e7ed-7d56-9f7c-989be886fd24', 'key-2', '0190c7a0-0000-7000-8000-00000000000a', 'order-2', 900, 'USD', 'APPROVED', NULL, NULL, NULL, NULL, '2026-11-27 17:08:32.366336+00', '2026-11-27 17:08:32.377002+00');
INSERT INTO public.payments VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e881-7486-b888-b8c56979a768', '01a21dfa-e881-71be-8b54-0863b719cef4', 'key-3', '0190c7a0-0000-7000-8000-00000000000a', 'order-3', 500, 'USD', 'DECLINED', 'DO_NOT_HONOR', NULL, NULL, NULL, '2026-11-27 17:08:32.515004+00', '2026-11-27 17:08:32.527997+00');
INSERT INTO public.payments VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', '01a21dfa-e8c9-705b-92a8-c2292caba201', 'key-4', '0190c7a0-0000-7000-8000-00000000000a', 'order-4', 600, 'USD', 'FAILED', 'GATEWAY_ERROR', '2026-11-27 17:08:32.719786+00', NULL, NULL, '2026-11-27 17:08:32.586672+00', '2026-11-27 17:08:32.730175+00');
INSERT INTO public.service_providers VALUES ('0190c7a0-0000-7000-8000-00000000000a', 'Demo provider', true, '2026-11-27 17:08:11.045875+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-a34c-7e06-9cc6-f8754ab7eda7', 'FUNDING', NULL, 'demo', 10000000, 'USD', 'COMPLETED', '2026-11-27 17:08:14.795638+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e766-7731-ab74-0d949974e9e6', 'PAYMENT', '01a21dfa-e766-705c-91c8-2f6846652728', NULL, 1250, 'USD', 'APPROVED', '2026-11-27 17:08:32.241086+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e7ed-7d56-9f7c-989be886fd24', 'PAYMENT', '01a21dfa-e7ed-78db-bb38-81dc4eb92c2a', NULL, 900, 'USD', 'APPROVED', '2026-11-27 17:08:32.366336+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e881-71be-8b54-0863b719cef4', 'PAYMENT', '01a21dfa-e881-7486-b888-b8c56979a768', NULL, 500, 'USD', 'DECLINED', '2026-11-27 17:08:32.515004+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e890-7625-9514-fbe24a30393b', 'REFUND', '01a21dfa-e881-7486-b888-b8c56979a768', NULL, 500, 'USD', 'COMPLETED', '2026-11-27 17:08:32.527997+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e8c9-705b-92a8-c2292caba201', 'PAYMENT', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', NULL, 600, 'USD', 'FAILED', '2026-11-27 17:08:32.586672+00');
INSERT INTO public.transactions VALUES ('0190c7a0-0000-7000-8000-000000000001', '01a21dfa-e95a-7eef-b73d-c724234fd17c', 'REFUND', '01a21dfa-e8c9-72f5-b63c-ca96c12514aa', NULL, 600, 'USD', 'COMPLETED', '2026-11-27 17:08:32.730175+00');
INSERT INTO public.wallet_balances VALUES ('0190c7a0-0000-7000-8000-000000000001', 'USD', 9997850, 7, '2026-11-27 17:08:32.731507+00');
SELECT pg_catalog.setval('audit.actions_id_seq', 2, true);
SELECT pg_catalog.setval('public.outbox_events_id_seq', 10, true);
ALTER TABLE ONLY audit.actions
    ADD CONSTRAINT actions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY audit.events
    ADD CONSTRAINT events_once UNIQUE (event_id);
ALTER TABLE ONLY audit.events
    ADD CONSTRAINT events_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY audit.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY metrics.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY metrics.latency
    ADD CONSTRAINT latency_pkey PRIMARY KEY (le);
ALTER TABLE ONLY metrics.totals
    ADD CONSTRAINT totals_pkey PRIMARY KEY (status, currency);
ALTER TABLE ONLY public._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY public._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key);
ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, account, user_id);
ALTER TABLE ONLY public.outbox_events
    ADD CONSTRAINT outbox_events_pkey PRIMARY KEY (payment_id, sequence, user_id);
ALTER TABLE ONLY public.outbox_leases
    ADD CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition);
ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (id, user_id);
ALTER TABLE ONLY public.service_providers
    ADD CONSTRAINT service_providers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (id, user_id);
ALTER TABLE ONLY public.wallet_balances
    ADD CONSTRAINT wallet_balances_pkey PRIMARY KEY (user_id, currency);
ALTER TABLE ONLY public.yoyo_lock
    ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);
CREATE INDEX events_of_a_subject ON audit.events USING btree (subject, sequence);
CREATE INDEX inbox_by_age ON metrics.inbox USING btree (received_at);
CREATE INDEX idempotency_keys_finalized ON public.idempotency_keys USING btree (finalized_at) WHERE (finalized_at IS NOT NULL);
CREATE UNIQUE INDEX ledger_entries_in_wallet_order ON public.ledger_entries USING btree (user_id, currency, wallet_version) WHERE (account = 'wallet'::text);
CREATE INDEX outbox_events_failing ON public.outbox_events USING btree (partition, retry_at) WHERE ((sent_at IS NULL) AND (attempts > 0));
CREATE INDEX outbox_events_sent ON public.outbox_events USING btree (sent_at) WHERE (sent_at IS NOT NULL);
CREATE INDEX outbox_events_unsent ON public.outbox_events USING btree (partition, id) WHERE (sent_at IS NULL);
CREATE INDEX payments_pending ON public.payments USING btree (recover_after NULLS FIRST, created_at) WHERE (status = 'PENDING'::text);
CREATE INDEX transactions_newest_first ON public.transactions USING btree (user_id, created_at DESC, id DESC);
CREATE INDEX transactions_newest_first_by_currency ON public.transactions USING btree (user_id, currency, created_at DESC, id DESC);
CREATE UNIQUE INDEX transactions_once_per_payment ON public.transactions USING btree (payment_id, kind, user_id) WHERE (payment_id IS NOT NULL);
CREATE UNIQUE INDEX transactions_once_per_reference ON public.transactions USING btree (user_id, currency, reference) WHERE (reference IS NOT NULL);
ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_transaction_fkey FOREIGN KEY (user_id, transaction_id) REFERENCES public.transactions(user_id, id);
ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_payment_fkey FOREIGN KEY (user_id, payment_id) REFERENCES public.payments(user_id, id);
GRANT USAGE ON SCHEMA audit TO strongbox_app;
GRANT USAGE ON SCHEMA metrics TO strongbox_app;
GRANT USAGE ON SCHEMA public TO strongbox_app;
GRANT SELECT,INSERT ON TABLE audit.actions TO strongbox_app;
GRANT SELECT ON SEQUENCE audit.actions_id_seq TO strongbox_app;
GRANT SELECT,INSERT ON TABLE audit.events TO strongbox_app;
GRANT SELECT,UPDATE ON TABLE audit.head TO strongbox_app;
GRANT SELECT,INSERT,DELETE ON TABLE metrics.inbox TO strongbox_app;
GRANT SELECT,INSERT,UPDATE ON TABLE metrics.latency TO strongbox_app;
GRANT SELECT,INSERT,UPDATE ON TABLE metrics.totals TO strongbox_app;
GRANT SELECT ON TABLE public._yoyo_migration TO strongbox_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO strongbox_app;
GRANT SELECT,INSERT ON TABLE public.ledger_entries TO strongbox_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE public.outbox_events_id_seq TO strongbox_app;
GRANT SELECT,UPDATE ON TABLE public.outbox_leases TO strongbox_app;
GRANT SELECT,INSERT ON TABLE public.payments TO strongbox_app;
GRANT UPDATE(status) ON TABLE public.payments TO strongbox_app;
GRANT UPDATE(failure_code) ON TABLE public.payments TO strongbox_app;
GRANT UPDATE(void_requested_at) ON TABLE public.payments TO strongbox_app;
GRANT UPDATE(recover_after) ON TABLE public.payments TO strongbox_app;
GRANT UPDATE(finalized_at) ON TABLE public.payments TO strongbox_app;
GRANT SELECT,INSERT ON TABLE public.service_providers TO strongbox_app;
GRANT UPDATE(is_active) ON TABLE public.service_providers TO strongbox_app;
GRANT SELECT,INSERT ON TABLE public.transactions TO strongbox_app;
GRANT UPDATE(status) ON TABLE public.transactions TO strongbox_app;
GRANT SELECT,INSERT ON TABLE public.wallet_balances TO strongbox_app;
GRANT UPDATE(current_balance) ON TABLE public.wallet_balances TO strongbox_app;
GRANT UPDATE(version) ON TABLE public.wallet_balances TO strongbox_app;
GRANT UPDATE(updated_at) ON TABLE public.wallet_balances TO strongbox_app;
