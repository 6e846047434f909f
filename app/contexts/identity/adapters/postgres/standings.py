"""Who stands, in PostgreSQL: those of a tenant together, in one round trip."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.contexts.identity.application.who_stands import Key, Kind, Word
from app.kernel.principal import Principal, Role, TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

CONNECTIONS: Final = 2
"""Of their own: whoever only wants to know does not wait for those who write."""

_NOW: Final = Statement("SELECT extract(epoch FROM clock_timestamp())::float8")
FAMILIES: Final = Statement("""
    SELECT f.id, u.id, u.role, f.id
    FROM identity.families f
    JOIN identity.users u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
    WHERE f.tenant_id = %b::uuid AND f.id = ANY(%b::uuid[])
      AND f.ended_at IS NULL AND f.expires_at > clock_timestamp() AND u.is_active
""")
SESSIONS: Final = Statement("""
    SELECT s.token_hash, u.id, u.role, f.id
    FROM identity.sessions s
    JOIN identity.families f ON f.tenant_id = s.tenant_id AND f.id = s.family_id
    JOIN identity.users u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
    WHERE s.tenant_id = %b::uuid AND s.token_hash = ANY(%b::bytea[]) AND s.expires_at > clock_timestamp()
      AND f.ended_at IS NULL AND f.expires_at > clock_timestamp() AND u.is_active
""")
CLIENTS: Final = Statement("""
    SELECT id, generation, scopes FROM identity.clients
    WHERE tenant_id = %b::uuid AND id = ANY(%b::uuid[]) AND is_active
""")


def _of_family(tenant_id: TenantId, row: Row) -> tuple[UUID | bytes, Word]:
    value, user_id, role, family_id = row
    return value, Word(Principal(tenant_id, user_id, role=Role(role), session_id=family_id))


def _of_session(tenant_id: TenantId, row: Row) -> tuple[UUID | bytes, Word]:
    value, user_id, role, family_id = row
    return value, Word(Principal(tenant_id, user_id, role=Role(role), session_id=family_id, by_cookie=True))


def _of_client(tenant_id: TenantId, row: Row) -> tuple[UUID | bytes, Word]:
    value, generation, scopes = row
    return value, Word(Principal(tenant_id, value, scopes=frozenset(scopes)), generation)


_WORDS: Final[Mapping[Kind, tuple[Statement, Callable[[TenantId, Row], tuple[UUID | bytes, Word]]]]] = {
    Kind.FAMILY: (FAMILIES, _of_family),
    Kind.SESSION: (SESSIONS, _of_session),
    Kind.CLIENT: (CLIENTS, _of_client),
}


class PostgresStandings:
    """It implements `Standings`."""

    def __init__(self, rows: TenantRows, pool: Pool) -> None:
        self._rows = rows
        self._pool = pool

    @reading
    async def read(self, tenant_id: TenantId, keys: Collection[Key]) -> tuple[Mapping[Key, Word], float]:
        """See `Standings.read`."""
        wanted: dict[Kind, list[Any]] = {}
        for key in keys:
            wanted.setdefault(key.kind, []).append(key.value)
        calls: list[Call] = [(_WORDS[kind][0], (tenant_id, values)) for kind, values in wanted.items()]
        *answers, clock = await self._rows.run(tenant_id, *calls, (_NOW, ()))
        return dict(_found(tenant_id, wanted, answers)), clock[0][0]


def _found(tenant_id: TenantId, kinds: Collection[Kind], answers: Sequence[Sequence[Row]]) -> "list[tuple[Key, Word]]":
    found = []
    for kind, rows in zip(kinds, answers, strict=True):
        for value, word in (_WORDS[kind][1](tenant_id, row) for row in rows):
            found.append((Key(kind, value), word))
    return found
