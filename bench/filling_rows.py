"""The rows of a filled database, as SQL that makes them of a number of payments and of wallets."""

import hashlib
from uuid import UUID

PROVIDER_ID = UUID("0190c7a0-0000-7000-8000-0000000000f1")
CURRENCY = "USD"
FUNDED_MINOR = 10**12
"""What each wallet was funded with, more than its payments take."""


def user_id(nth: int) -> UUID:
    """The owner of the nth wallet, from 0."""
    return UUID(hashlib.md5(f"user {nth}".encode(), usedforsecurity=False).hexdigest())


def _text(time: str) -> str:
    return f"""to_char({time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _uuid7(time: str, name: str) -> str:
    """A UUID that begins with the time, as the services make them; the rest follows from the name."""
    milliseconds = f"lpad(to_hex((extract(epoch FROM {time}) * 1000)::bigint), 12, '0')"
    return f"overlay(overlay(md5({name}) PLACING {milliseconds} || '7' FROM 1) PLACING '8' FROM 17)::uuid"


def _in_order(table: str, column: str) -> str:
    # So that it is read in order without being sorted each time.
    return f"CREATE INDEX ON {table} ({column}); ANALYZE {table};"


# Of twenty payments one is declined and one fails. Each was made some time in the last twelve hours, but not in the
# last two minutes: everything has been sent and audited, and nothing has been cleaned up yet.
PAYMENTS = f"""
    CREATE TEMP TABLE filled ON COMMIT DROP AS
    SELECT n, user_id, {_uuid7("created_at", "'payment ' || n")} AS id,
           {_uuid7("created_at", "'transaction ' || n")} AS transaction_id,
           {_uuid7("finalized_at", "'refund ' || n")} AS refund_id,
           'order ' || n AS external_reference, 100 + n %% 9900 AS amount, status,
           CASE status WHEN 'DECLINED' THEN 'DO_NOT_HONOR' WHEN 'FAILED' THEN 'GATEWAY_TIMEOUT' END AS failure_code,
           created_at, finalized_at, {_text("created_at")} AS created_text, {_text("finalized_at")} AS finalized_text
    FROM (
        SELECT n, md5('user ' || n %% %(wallets)s)::uuid AS user_id, created_at,
               created_at + interval '30 ms' AS finalized_at,
               CASE n %% 20 WHEN 7 THEN 'DECLINED' WHEN 13 THEN 'FAILED' ELSE 'APPROVED' END AS status
        FROM generate_series(0, %(payments)s - 1) AS n,
             LATERAL (SELECT date_trunc('second', now()) - interval '2 min'
                             - (%(payments)s - n) * (interval '12 h' / %(payments)s)) AS t (created_at)
    ) AS drawn;
    {_in_order("filled", "n")}
"""

MOVEMENTS = f"""
    CREATE TEMP TABLE movements ON COMMIT DROP AS
    SELECT *, abs(signed) AS amount, sum(signed) OVER wallet AS balance_after, row_number() OVER wallet AS version
    FROM (
        SELECT md5('user ' || w)::uuid AS user_id, {_uuid7("now() - interval '1 day'", "'funding ' || w")} AS id,
               'FUNDING' AS kind, NULL::uuid AS payment_id, 'filled' AS reference, {FUNDED_MINOR} AS signed,
               'COMPLETED' AS status, now() - interval '1 day' AS created_at, -1::bigint AS nth
        FROM generate_series(0, %(wallets)s - 1) AS w
        UNION ALL
        SELECT user_id, transaction_id, 'PAYMENT', id, NULL, -amount, status, created_at, 2 * n FROM filled
        UNION ALL
        SELECT user_id, refund_id, 'REFUND', id, NULL, amount, 'COMPLETED', finalized_at, 2 * n + 1 FROM filled
        WHERE status <> 'APPROVED'
    ) AS moved
    WINDOW wallet AS (PARTITION BY user_id ORDER BY nth);
    {_in_order("movements", "nth")}
"""

BOOKS = f"""
    INSERT INTO service_providers (id, name) VALUES ('{PROVIDER_ID}', 'Filled');

    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, failure_code, void_requested_at, created_at, finalized_at)
    SELECT user_id, id, transaction_id, 'key-' || n, '{PROVIDER_ID}', external_reference, amount, '{CURRENCY}',
           status, failure_code, CASE status WHEN 'FAILED' THEN created_at + interval '20 ms' END, created_at,
           finalized_at
    FROM filled ORDER BY n;

    INSERT INTO transactions (user_id, id, kind, payment_id, reference, amount, currency, status, created_at)
    SELECT user_id, id, kind, payment_id, reference, amount, '{CURRENCY}', status, created_at FROM movements
    ORDER BY nth;

    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT user_id, id, account, '{CURRENCY}', leg, after, at_version, created_at
    FROM movements, LATERAL (VALUES
        ('wallet', signed, balance_after, version),
        (CASE kind WHEN 'FUNDING' THEN 'funding' ELSE 'payments' END, -signed, NULL, NULL)
    ) AS legs (account, leg, after, at_version)
    ORDER BY nth;

    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    SELECT DISTINCT ON (user_id) user_id, '{CURRENCY}', balance_after, version, created_at FROM movements
    ORDER BY user_id, version DESC;
"""

_PAYMENT = f"""format('{{"payment_id":"%s","transaction_id":"%s","user_id":"%s","provider_id":"{PROVIDER_ID}",'
    '"external_reference":"%s","amount":%s,"currency":"{CURRENCY}","status":"%s","failure_code":%s,'
    '"created_at":"%s","finalized_at":%s}}', id, transaction_id, user_id, external_reference, amount, told, code,
    created_text, final)"""

_REFUND = f"""format('{{"refund_id":"%s","payment_id":"%s","user_id":"%s","amount":%s,"currency":"{CURRENCY}",'
    '"created_at":"%s"}}', refund_id, id, user_id, amount, finalized_text)"""

KEYS = f"""
    INSERT INTO idempotency_keys (user_id, key, fingerprint, payment_id, response_status, response_body, created_at,
                                  finalized_at)
    SELECT user_id, 'key-' || n,
           sha256(convert_to(format(E'1\\n{PROVIDER_ID.hex}\\n%s\\n{CURRENCY}\\n%s', amount, external_reference),
                             'UTF8')),
           id, CASE status WHEN 'FAILED' THEN 504 ELSE 201 END,
           convert_to(CASE status WHEN 'FAILED' THEN format(
               '{{"error":{{"code":"GATEWAY_TIMEOUT","message":"the payment gateway did not answer in time; the payment'
               ' failed and its funds are back in the wallet","details":{{"payment_id":"%s","status":"FAILED",'
               '"refunded":true}}}}}}', id)
           ELSE {_PAYMENT} END, 'UTF8'), created_at, finalized_at
    FROM (
        SELECT *, status AS told, coalesce('"' || failure_code || '"', 'null') AS code,
               '"' || finalized_text || '"' AS final FROM filled
    ) AS f
    ORDER BY n;
"""

EVENTS = f"""
    CREATE TEMP TABLE events ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY n, sequence) AS position, event_id, user_id, id AS payment_id, sequence, type,
           told AS status, amount, at,
           format('{{"specversion":"1.0","id":"%s","source":"/strongbox","type":"%s","subject":"%s","time":"%s",'
               '"datacontenttype":"application/json","dataschema":"urn:strongbox:schema:%s:1","sequence":%s,"data":%s}}',
               event_id, type, id, CASE sequence WHEN 1 THEN created_text ELSE finalized_text END,
               CASE sequence WHEN 3 THEN 'refund' ELSE 'payment' END, sequence,
               CASE sequence WHEN 3 THEN {_REFUND} ELSE {_PAYMENT} END) AS payload
    FROM filled, LATERAL (
        SELECT sequence, {_uuid7("at", "'event ' || n || ' ' || sequence")} AS event_id, at, told, code, final,
               CASE sequence WHEN 1 THEN 'payment.created' WHEN 3 THEN 'refund.created'
                   ELSE CASE told WHEN 'APPROVED' THEN 'payment.completed' ELSE 'payment.failed' END END AS type
        FROM (VALUES (1, created_at, 'PENDING', 'null', 'null'),
                     (2, finalized_at, status, coalesce('"' || failure_code || '"', 'null'),
                      '"' || finalized_text || '"'),
                     (3, finalized_at, status, NULL, NULL)) AS told (sequence, at, told, code, final)
        WHERE sequence < 3 OR told <> 'APPROVED'
    ) AS e;
    {_in_order("events", "position")}

    INSERT INTO payments.outbox_events
        (user_id, event_id, subject, sequence, type, payload, partition, created_at, sent_at)
    SELECT user_id, event_id, payment_id, sequence, type, payload::json,
           ('x' || right(user_id::text, 1))::bit(4)::integer, at, at + interval '20 ms'
    FROM events ORDER BY position;

    INSERT INTO metrics.inbox (event_id, received_at)
    SELECT event_id, at + interval '30 ms' FROM events WHERE sequence < 3 ORDER BY position;

    INSERT INTO metrics.totals (status, currency, count, amount)
    SELECT status, '{CURRENCY}', count(*), sum(amount) FROM events WHERE sequence < 3 GROUP BY status;

    INSERT INTO metrics.latency (le, count, sum_s)
    SELECT 0.05, count(*), count(*) * 0.03 FROM events WHERE sequence < 3;
"""


# The hash of consumers/audit_chain.py, over the rows one after the other, by an aggregate of this transaction's own.
AUDIT = f"""
    CREATE FUNCTION pg_temp.link(before bytea, event bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN sha256(before || event); END';
    CREATE AGGREGATE pg_temp.chain (bytea)
        (SFUNC = pg_temp.link, STYPE = bytea, INITCOND = '\\x{"00" * 32}');

    INSERT INTO audit.events (position, event_id, type, subject, sequence, occurred_at, received_at, payload, hash,
                              previous_hash)
    SELECT position, event_id, type, payment_id, sequence, at, at + interval '30 ms', payload::json, hash,
           lag(hash, 1, '\\x{"00" * 32}'::bytea) OVER (ORDER BY position)
    FROM (
        SELECT *, pg_temp.chain(convert_to(concat_ws(E'\\n', position, event_id, payment_id, sequence,
                      trunc(extract(epoch FROM at) * 1000000),
                      trunc(extract(epoch FROM at + interval '30 ms') * 1000000),
                      length(type), type || payload), 'UTF8')) OVER (ORDER BY position) AS hash
        FROM events
    ) AS hashed;

    UPDATE audit.head SET (position, hash) = (SELECT position, hash FROM audit.events ORDER BY position DESC LIMIT 1);

    DROP AGGREGATE pg_temp.chain (bytea);
    DROP FUNCTION pg_temp.link (bytea, bytea);
"""
