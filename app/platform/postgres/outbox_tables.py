"""The tables of an outbox: every context that publishes has them in its own schema, of the one shape.

`python -m app.platform.postgres.outbox_tables SCHEMA` prints what goes into the context's first migration, behind its
`CREATE SCHEMA`; the context's grants and sequences have `grants.of_an_outbox` and `numbering.of_an_outbox`. A test
holds each outbox that there is in the migrated database against this text.
"""

import sys
from typing import Final

_TABLES: Final = """\
CREATE TABLE {schema}.outbox_events (
    user_id    uuid        NOT NULL,
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id   uuid        NOT NULL,
    subject    uuid        NOT NULL,
    sequence   smallint    NOT NULL,
    type       text        NOT NULL,
    payload    json        NOT NULL,
    partition  smallint    NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    retry_at   timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz,
    tenant_id  uuid,
    CONSTRAINT outbox_events_pkey PRIMARY KEY (subject, sequence, user_id)
) WITH (fillfactor = 85);

-- What a relay polls: a partition's unsent events in id order. Sent events are not in it.
CREATE INDEX outbox_events_unsent ON {schema}.outbox_events (partition, id) WHERE sent_at IS NULL;
-- The few whose publishing failed, each of which holds back the later events of its subject.
CREATE INDEX outbox_events_failing ON {schema}.outbox_events (partition, retry_at)
    WHERE sent_at IS NULL AND attempts > 0;
-- What the clean-up walks.
CREATE INDEX outbox_events_sent ON {schema}.outbox_events (sent_at) WHERE sent_at IS NOT NULL;

-- Who relays which partition. The epoch grows with every change of owner and fences the one before.
CREATE TABLE {schema}.outbox_leases (
    partition    smallint    NOT NULL,
    owner        text,
    epoch        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    CONSTRAINT outbox_leases_pkey PRIMARY KEY (partition)
);
INSERT INTO {schema}.outbox_leases (partition) SELECT generate_series(0, 15);

GRANT USAGE ON SCHEMA {schema} TO strongbox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.outbox_events TO strongbox_app;
GRANT SELECT ON SEQUENCE {schema}.outbox_events_id_seq TO strongbox_app;
GRANT SELECT, UPDATE ON {schema}.outbox_leases TO strongbox_app;
"""


def tables_in(schema: str) -> str:
    """The statements that make an outbox in the schema, which there has to be."""
    return _TABLES.format(schema=schema)


if __name__ == "__main__":
    sys.stdout.write(tables_in(sys.argv[1]))
