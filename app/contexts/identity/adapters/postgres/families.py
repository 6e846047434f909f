"""Log-ins in PostgreSQL: families, with the tokens that renew them and those of their sessions.

Whoever changes a family holds its row. A user's row comes first, where both are held.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from app.contexts.identity.adapters.postgres.rows import ACCOUNT, account_of
from app.contexts.identity.application.open_session import NewFamily, Opened
from app.contexts.identity.application.refresh import Decide, Renewal, Rotation, Shown
from app.contexts.identity.domain.lives import Lives
from app.kernel.principal import TenantId
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_LOGGED_IN: Final = Statement("""
    UPDATE identity.users SET last_login_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND is_active
      AND (%b::text IS NULL OR password_hash = %b::text)
    RETURNING last_login_at
""")
_FAMILY: Final = Statement("""
    INSERT INTO identity.families (tenant_id, id, user_id, created_at, expires_at)
    VALUES (%b::uuid, %b::uuid, %b::uuid, %b::timestamptz, %b::timestamptz)
""")
_REFRESH_TOKEN: Final = Statement("""
    INSERT INTO identity.refresh_tokens (tenant_id, token_hash, family_id, created_at)
    VALUES (%b::uuid, %b::bytea, %b::uuid, %b::timestamptz)
""")
_SESSION: Final = Statement("""
    INSERT INTO identity.sessions (tenant_id, token_hash, family_id, created_at, expires_at)
    VALUES (%b::uuid, %b::bytea, %b::uuid, %b::timestamptz, %b::timestamptz)
""")
_LOCK: Final = Statement("""
    SELECT id FROM identity.families
    WHERE tenant_id = %b::uuid AND id = (
        SELECT family_id FROM identity.refresh_tokens WHERE tenant_id = %b::uuid AND token_hash = %b::bytea
    )
    FOR NO KEY UPDATE
""")
# A statement of its own behind the lock: it sees what the lock's last holder wrote.
_SHOWN: Final = Statement(f"""
    SELECT f.id, f.expires_at, f.ended_at IS NOT NULL, t.spent_at, t.sealed_successor, head.token_hash, {ACCOUNT}
    FROM identity.refresh_tokens t
    JOIN identity.families f ON f.tenant_id = t.tenant_id AND f.id = t.family_id
    JOIN identity.users u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
    LEFT JOIN identity.refresh_tokens head
        ON head.tenant_id = t.tenant_id AND head.family_id = t.family_id AND head.spent_at IS NULL
    WHERE t.tenant_id = %b::uuid AND t.token_hash = %b::bytea
""")
# The one before has had its time: its successor is spent now.
_ERASE: Final = Statement("""
    UPDATE identity.refresh_tokens SET sealed_successor = NULL
    WHERE tenant_id = %b::uuid AND family_id = %b::uuid AND sealed_successor IS NOT NULL
""")
_SPEND: Final = Statement("""
    UPDATE identity.refresh_tokens SET spent_at = %b::timestamptz, sealed_successor = %b::bytea
    WHERE tenant_id = %b::uuid AND token_hash = %b::bytea
""")
# The newest stays: requests are under way with it, whose client has not yet got its successor.
_OLD_SESSIONS: Final = Statement("""
    DELETE FROM identity.sessions
    WHERE tenant_id = %b::uuid AND family_id = %b::uuid AND created_at < (
        SELECT max(created_at) FROM identity.sessions WHERE tenant_id = %b::uuid AND family_id = %b::uuid
    )
""")
_END: Final = Statement("""
    UPDATE identity.families SET ended_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND id = %b::uuid AND ended_at IS NULL
""")
_END_OF_TOKEN: Final = Statement("""
    UPDATE identity.families SET ended_at = clock_timestamp()
    WHERE tenant_id = %b::uuid AND ended_at IS NULL AND id IN (
        SELECT family_id FROM identity.refresh_tokens WHERE tenant_id = %b::uuid AND token_hash = %b::bytea
    )
    RETURNING user_id
""")


class PostgresFamilies:
    """It implements `NewFamilies`, `Families` and `EndsFamilies`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @writing
    async def open(self, family: NewFamily, checked_hash: str | None, lives: Lives) -> Opened | None:
        """See `NewFamilies.open`."""
        tenant_id = family.tenant_id
        async with self._rows.open(tenant_id) as transaction:
            (logged_in,), _ = await transaction.begin(
                (_LOGGED_IN, (tenant_id, family.user_id, checked_hash, checked_hash))
            )
            if not logged_in:
                return None
            ((now,),) = logged_in
            ends_at = lives.end_of_family(now)
            opened = Opened(now, ends_at, lives.end_of_session(now, ends_at))
            await transaction.commit(
                [
                    (_FAMILY, (tenant_id, family.id, family.user_id, now, ends_at)),
                    (_REFRESH_TOKEN, (tenant_id, family.refresh_hash, family.id, now)),
                    (_SESSION, (tenant_id, family.session_hash, family.id, now, opened.session_ends_at)),
                ]
            )
        return opened

    @writing
    async def renew(self, tenant_id: TenantId, token_hash: bytes, decide: Decide) -> Renewal | None:
        """See `Families.renew`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), now = await transaction.begin(
                (_LOCK, (tenant_id, tenant_id, token_hash)),
                (_SHOWN, (tenant_id, token_hash)),
            )
            if not rows:
                return None
            renewal = decide(_shown(rows[0], now))
            calls: list[Call] = []
            if renewal.ends_family:
                calls = [(_END, (tenant_id, renewal.shown.family_id))]
            elif renewal.rotation:
                calls = _rotated(tenant_id, token_hash, renewal.shown, renewal.rotation)
            if calls:
                await transaction.commit(calls)
        return renewal

    @writing
    async def end(self, tenant_id: TenantId, family_id: UUID) -> None:
        """See `EndsFamilies.end`."""
        await self._rows.run(tenant_id, (_END, (tenant_id, family_id)))

    @writing
    async def end_of_token(self, tenant_id: TenantId, token_hash: bytes) -> UUID | None:
        """See `EndsFamilies.end_of_token`."""
        (rows,) = await self._rows.run(tenant_id, (_END_OF_TOKEN, (tenant_id, tenant_id, token_hash)))
        return rows[0][0] if rows else None


def _shown(row: Row, now: datetime) -> Shown:
    family_id, ends_at, has_ended, spent_at, sealed, head_hash, *account = row
    user = account_of(tuple(account)).user
    return Shown(
        user=user,
        family_id=family_id,
        family_ends_at=ends_at,
        is_over=has_ended or ends_at <= now or not user.is_active,
        spent_at=spent_at,
        sealed_successor=sealed,
        head_hash=head_hash,
        now=now,
    )


def _rotated(tenant_id: TenantId, token_hash: bytes, shown: Shown, rotation: Rotation) -> list[Call]:
    family_id, now = shown.family_id, shown.now
    return [
        (_ERASE, (tenant_id, family_id)),
        (_SPEND, (now, rotation.sealed_successor, tenant_id, token_hash)),
        (_REFRESH_TOKEN, (tenant_id, rotation.refresh_hash, family_id, now)),
        (_OLD_SESSIONS, (tenant_id, family_id, tenant_id, family_id)),
        (_SESSION, (tenant_id, rotation.session_hash, family_id, now, rotation.session_ends_at)),
    ]
