-- An audit event, a row and a commit each. Given: run, completed; serial = 0.
\set serial :serial + 1
\set position :run * 1000000000 + :serial
INSERT INTO audit.events (position, event_id, type, subject, sequence, occurred_at, payload, hash, previous_hash)
    VALUES (:position, gen_random_uuid(), 'payment.completed', gen_random_uuid(), 2, now(), :completed,
            sha256('this'), sha256('before'));
