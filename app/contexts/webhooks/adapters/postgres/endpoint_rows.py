"""Rows of endpoints, and of what they asked for when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.contexts.webhooks.domain.endpoint import Endpoint, Reason, Status, Version
from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.signing import BOTH_SIGN_FOR
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement

ENDPOINT_COLUMNS: Final = """
    e.id, e.tenant_id, e.url, e.types, e.description, e.status, e.reason, e.version, e.told, e.created_at, e.updated_at
"""
_ONE: Final = "e.bucket = %b::smallint AND e.id = %b::uuid AND e.tenant_id = %b::uuid"

READ: Final = Statement(f"SELECT {ENDPOINT_COLUMNS} FROM webhooks.endpoints e WHERE {_ONE}")
PAGE: Final = Statement(f"""
    SELECT {ENDPOINT_COLUMNS} FROM webhooks.endpoints e
    WHERE e.tenant_id = %b::uuid AND (e.created_at, e.id) < (%b::timestamptz, %b::uuid)
    ORDER BY e.created_at DESC, e.id DESC LIMIT %b::bigint
""")
COUNT: Final = Statement("SELECT count(*) FROM webhooks.endpoints e WHERE e.tenant_id = %b::uuid")
# Whoever adds an endpoint of a tenant holds this row: nobody else counts meanwhile.
HOLD_HOUSE: Final = Statement("SELECT FROM webhooks.houses h WHERE h.tenant = %b::uuid FOR NO KEY UPDATE")
INSERT: Final = Statement("""
    INSERT INTO webhooks.endpoints (bucket, tenant_id, id, url, types, description, status, version, secret, created_at,
        updated_at)
    VALUES (%b::smallint, %b::uuid, %b::uuid, %b::text, %b::text[], %b::text, %b::text, %b::bigint, %b::bytea,
        %b::timestamptz, %b::timestamptz)
""")
UPDATE: Final = Statement("""
    UPDATE webhooks.endpoints e
    SET url = %b::text, types = %b::text[], description = %b::text, status = %b::text, reason = %b::text,
        version = %b::bigint, told = %b::smallint, updated_at = %b::timestamptz
    WHERE e.bucket = %b::smallint AND e.id = %b::uuid AND e.tenant_id = %b::uuid
""")
ROTATE: Final = Statement(f"""
    UPDATE webhooks.endpoints e
    SET secret_before = e.secret, secret = %b::bytea,
        before_until = clock_timestamp() + make_interval(secs => {BOTH_SIGN_FOR.total_seconds()}),
        updated_at = clock_timestamp()
    WHERE {_ONE}
    RETURNING e.id
""")
DELETE: Final = Statement(f"DELETE FROM webhooks.endpoints e WHERE {_ONE} RETURNING e.id")
FORGET_VERSIONS: Final = Statement("""
    DELETE FROM webhooks.endpoint_versions v
    WHERE v.bucket = %b::smallint AND v.endpoint_id = %b::uuid AND v.tenant_id = %b::uuid
""")
ADD_VERSION: Final = Statement("""
    INSERT INTO webhooks.endpoint_versions (bucket, tenant_id, endpoint_id, version, types, status, starts_at)
    VALUES (%b::smallint, %b::uuid, %b::uuid, %b::bigint, %b::text[], %b::text, %b::timestamptz)
""")
# What stood at a time, and what came after it.
VERSIONS: Final = Statement("""
    SELECT e.id, v.types, v.status, v.starts_at
    FROM webhooks.endpoints e CROSS JOIN LATERAL (
        SELECT * FROM (
            (
                SELECT v.types, v.status, v.starts_at, v.version FROM webhooks.endpoint_versions v
                WHERE v.bucket = e.bucket AND v.endpoint_id = e.id AND v.tenant_id = %b::uuid
                    AND v.starts_at <= %b::timestamptz
                ORDER BY v.starts_at DESC, v.version DESC LIMIT 1
            )
            UNION ALL
            (
                SELECT v.types, v.status, v.starts_at, v.version FROM webhooks.endpoint_versions v
                WHERE v.bucket = e.bucket AND v.endpoint_id = e.id AND v.tenant_id = %b::uuid
                    AND v.starts_at > %b::timestamptz
                ORDER BY v.starts_at, v.version
            )
        ) v
    ) v
    WHERE e.tenant_id = %b::uuid
    ORDER BY e.id, v.starts_at, v.version
""")
# Where to, and what signs now: the newest first.
WHERETO: Final = Statement("""
    SELECT e.id, e.url, e.secret, CASE WHEN e.before_until > clock_timestamp() THEN e.secret_before END
    FROM webhooks.endpoints e
    WHERE (e.bucket, e.id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[])) AND e.tenant_id = %b::uuid
""")
TOLD: Final = Statement(f"""
    SELECT {ENDPOINT_COLUMNS} FROM webhooks.endpoints e
    WHERE (e.bucket, e.id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[])) AND e.tenant_id = %b::uuid
""")


def key(tenant_id: TenantId, endpoint_id: EndpointId) -> tuple[int, EndpointId, TenantId]:
    """An endpoint's key, as the statements take it."""
    return bucket_of(endpoint_id), endpoint_id, tenant_id


def insert(endpoint: Endpoint, sealed: bytes) -> Call:
    """The statement that writes a new endpoint."""
    e = endpoint
    return INSERT, (
        bucket_of(e.id), e.tenant_id, e.id, e.url, list(e.types), e.description, e.status.value, e.version, sealed,
        e.created_at, e.updated_at,
    )  # fmt: skip


def update(endpoint: Endpoint) -> Call:
    """The statement that writes an endpoint as it is now. Its lane is held."""
    e = endpoint
    return UPDATE, (
        e.url, list(e.types), e.description, e.status.value, e.reason and e.reason.value, e.version, e.told,
        e.updated_at, *key(e.tenant_id, e.id),
    )  # fmt: skip


def add_version(endpoint: Endpoint) -> Call:
    """The statement that writes what an endpoint asks for from now on."""
    e = endpoint
    return ADD_VERSION, (
        bucket_of(e.id), e.tenant_id, e.id, e.version, list(e.types), e.status.value, e.updated_at,
    )  # fmt: skip


def versions(tenant_id: TenantId, at: datetime) -> Call:
    """The statement that reads what a tenant's endpoints asked for at that time and since; `version_of` reads its
    rows."""
    return VERSIONS, (tenant_id, at, tenant_id, at, tenant_id)


def endpoint_of(row: Row) -> Endpoint:
    """The endpoint in a row."""
    id_, tenant_id, url, types, description, status, reason, version, told, created_at, updated_at = row
    return Endpoint(
        id=EndpointId(id_),
        tenant_id=TenantId(tenant_id),
        url=url,
        types=tuple(types),
        description=description,
        status=Status(status),
        reason=None if reason is None else Reason(reason),
        version=version,
        told=told,
        created_at=created_at,
        updated_at=updated_at,
    )


def version_of(row: Row) -> Version:
    """The version in a row."""
    endpoint_id, types, status, starts_at = row
    return Version(EndpointId(endpoint_id), tuple(types), Status(status), starts_at)


def whereto_of(row: Row) -> tuple[EndpointId, str, Sequence[bytes]]:
    """An endpoint's URL, and what signs."""
    endpoint_id, url, secret, before = row
    return EndpointId(endpoint_id), url, [one for one in (secret, before) if one is not None]
