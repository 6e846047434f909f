"""Rows of users: where somebody stands. Whoever changes anything of theirs holds the row."""

from collections.abc import Collection, Sequence
from typing import Final

from app.contexts.rewards.domain.account import Account, Standing
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

USER_COLUMNS: Final = "u.tenant_id, u.user_id, u.address, u.heard, u.accrued, u.minting, u.minted, u.debt"

# Sorted, so that two batches never wait for each other's users crosswise.
LOCK: Final = Statement(f"""
    SELECT {USER_COLUMNS}
    FROM rewards.users u
    WHERE u.tenant_id = %b::uuid AND (u.bucket, u.user_id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[]))
    ORDER BY u.bucket, u.user_id
    FOR NO KEY UPDATE OF u
""")
OPEN: Final = Statement("""
    INSERT INTO rewards.users (bucket, tenant_id, user_id)
    SELECT r.bucket, r.tenant_id, r.user_id FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[])
        AS r (bucket, tenant_id, user_id)
    ORDER BY r.bucket, r.user_id
    ON CONFLICT (bucket, tenant_id, user_id) DO NOTHING
    RETURNING user_id
""")
UPDATE: Final = Statement("""
    UPDATE rewards.users u
    SET address = r.address, heard = r.heard, accrued = r.accrued::numeric, minting = r.minting::numeric,
        minted = r.minted::numeric, debt = r.debt::numeric, updated_at = clock_timestamp()
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])
        AS r (bucket, user_id, address, heard, accrued, minting, minted, debt)
    WHERE u.tenant_id = %b::uuid AND u.bucket = r.bucket AND u.user_id = r.user_id
""")
ONE: Final = Statement(f"""
    SELECT {USER_COLUMNS} FROM rewards.users u
    WHERE u.bucket = %b::smallint AND u.tenant_id = %b::uuid AND u.user_id = %b::uuid
""")


def lock(tenant_id: TenantId, users: Collection[UserId]) -> Call:
    """The statement that locks those of the users who have an account; `standing_of` reads its rows."""
    return LOCK, (tenant_id, *keys(users))


def open_(tenant_id: TenantId, users: Collection[UserId]) -> Call:
    """The statement that opens accounts for those who have none, and tells who that is."""
    return OPEN, columns([(bucket_of(user_id), tenant_id, user_id) for user_id in users])


def update(tenant_id: TenantId, accounts: Sequence[Account]) -> Call:
    """The statement that writes where users stand now. They are locked."""
    rows = [
        (
            bucket_of(s.user_id), s.user_id, s.address, s.heard, str(s.accrued), str(s.minting), str(s.minted),
            str(s.debt),
        )
        for s in (account.standing for account in accounts)
    ]  # fmt: skip
    return UPDATE, (*columns(rows), tenant_id)


def one(tenant_id: TenantId, user_id: UserId) -> Call:
    """The statement that reads where somebody stands; `standing_of` reads its row."""
    return ONE, (bucket_of(user_id), tenant_id, user_id)


def standing_of(row: Row) -> Standing:
    """Where somebody stands."""
    tenant_id, user_id, address, heard, *amounts = row
    return Standing(TenantId(tenant_id), UserId(user_id), address, heard, *map(int, amounts))


def keys(users: Collection[UserId]) -> tuple[list[int], list[UserId]]:
    """The users' keys, as columns."""
    return [bucket_of(user_id) for user_id in users], list(users)
