"""The statements about users. Each says whose rows they are, beside the setting that shows no others."""

from typing import Final

from app.contexts.identity.adapters.postgres.rows import ACCOUNT
from app.platform.postgres.outbox_writer import OutboxWriter
from app.platform.postgres.pipeline import Statement

_ONE: Final = f"SELECT {ACCOUNT} FROM identity.users u WHERE u.tenant_id = %b::uuid AND "

BY_ID: Final = Statement(f"{_ONE} u.id = %b::uuid")
BY_EMAIL: Final = Statement(f"{_ONE} u.email = %b::text")
BY_ADDRESS: Final = Statement(f"{_ONE} u.wallet_address = %b::text")
SOME: Final = Statement(f"{_ONE} u.id = ANY(%b::uuid[])")
SOME_BY_USERNAME: Final = Statement(f"{_ONE} u.username = ANY(%b::text[])")
SOME_BY_ADDRESS: Final = Statement(f"{_ONE} u.wallet_address = ANY(%b::text[])")

LOCK: Final = Statement(f"{_ONE} u.id = %b::uuid FOR NO KEY UPDATE OF u")
"""What refers to a user is not held up."""

# Along the index, newest first; what is asked for beside that is looked for on the way.
PAGE: Final = Statement(f"""
    SELECT {ACCOUNT} FROM identity.users u, (
        SELECT %b::text AS role, %b::boolean AS is_active, %b::text AS text, %b::uuid AS id, %b::text AS address
    ) AS wanted
    WHERE u.tenant_id = %b::uuid AND (u.created_at, u.id) < (%b::timestamptz, %b::uuid)
        AND (wanted.role IS NULL OR u.role = wanted.role)
        AND (wanted.is_active IS NULL OR u.is_active = wanted.is_active)
        AND (wanted.text IS NULL OR u.id = wanted.id OR lower(u.wallet_address) = wanted.address
             OR strpos(u.username, lower(wanted.text)) > 0 OR strpos(u.email, lower(wanted.text)) > 0
             OR strpos(lower(concat_ws(' ', u.first_name, u.last_name)), lower(wanted.text)) > 0)
    ORDER BY u.created_at DESC, u.id DESC
    LIMIT %b::bigint
""")

TAKEN: Final = Statement("""
    SELECT u.id, u.email, u.username, u.wallet_address FROM identity.users u
    WHERE u.tenant_id = %b::uuid AND (
        u.id = ANY(%b::uuid[]) OR u.email = ANY(%b::text[]) OR u.username = ANY(%b::text[])
        OR u.wallet_address = ANY(%b::text[])
    )
""")

INSERT: Final = Statement(f"""
    INSERT INTO identity.users AS u (tenant_id, id, role, username, email, wallet_address, password_hash, first_name,
        last_name, avatar_url, phone, email_verified, is_active, created_at)
    SELECT r.*, clock_timestamp()
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                %b::text[], %b::text[], %b::text[], %b::boolean[], %b::boolean[])
        AS r (tenant_id, id, role, username, email, wallet_address, password_hash, first_name, last_name, avatar_url,
              phone, email_verified, is_active)
    RETURNING {ACCOUNT}
""")

UPDATE: Final = Statement(f"""
    UPDATE identity.users u
    SET role = %b::text, username = %b::text, email = %b::text, wallet_address = %b::text, password_hash = %b::text,
        first_name = %b::text, last_name = %b::text, avatar_url = %b::text, phone = %b::text,
        email_verified = %b::boolean, is_active = %b::boolean, version = %b::bigint
    WHERE u.tenant_id = %b::uuid AND u.id = %b::uuid
    RETURNING {ACCOUNT}
""")

END_SESSIONS: Final = Statement("""
    UPDATE identity.families SET ended_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND user_id = %b::uuid AND id <> %b::uuid AND ended_at IS NULL
""")

RENEW_HASH: Final = Statement("""
    UPDATE identity.users SET password_hash = %b::text
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND password_hash = %b::text
""")

OUTBOX: Final = OutboxWriter("identity")
