"""The owners of the wallets as people who have logged in, each with a token, without the time that passwords take."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg

from app.contexts.identity.container import IdentityContainer
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.main.contexts import load
from app.main.house import House
from bench.filling_rows import user_id
from bench.house import BenchHouse

OPEN: Final = {
    "RATE_LIMIT_IP": "off",
    "RATE_LIMIT_USER": "off",
    "RATE_LIMIT_WALLET": "off",
    "RATE_LIMIT_LOGIN": "off",
    "ACCESS_TTL_S": "7200",
}
"""What is measured is what the house does, not what it refuses; and nobody's token ends meanwhile."""

# As the services write them. The owner's rows are walled off, too.
_PEOPLE: Final = """
    INSERT INTO identity.users (tenant_id, id, role, created_at)
    SELECT %(tenant)s, md5('user ' || n)::uuid, 'customer', clock_timestamp() FROM generate_series(0, %(people)s - 1) n
"""
_LOG_INS: Final = """
    INSERT INTO identity.families (tenant_id, id, user_id, created_at, expires_at)
    SELECT %(tenant)s, md5('log-in ' || n)::uuid, md5('user ' || n)::uuid, clock_timestamp(), now() + interval '1 day'
    FROM generate_series(0, %(people)s - 1) n
"""


def sign_in(house: BenchHouse, people: int) -> Path:
    """Let them log in; a file with their ids and tokens, a line each."""
    with psycopg.connect(house.database.owner_url) as owner:
        found = owner.execute("SELECT id FROM identity.tenants WHERE name = 'default'").fetchone()
        assert found is not None
        tenant = TenantId(found[0])
        owner.execute("SELECT set_config('app.current_tenant', %s, true)", (str(tenant),))
        for statement in (_PEOPLE, _LOG_INS):
            owner.execute(statement.encode(), {"tenant": tenant, "people": people})
        owner.execute("ANALYZE identity.users, identity.families")  # as autovacuum would have, within a minute
        log_ins = owner.execute("SELECT user_id, id FROM identity.families").fetchall()
    identity: IdentityContainer = House(load(house.environment, {})).container("identity")
    tokens, now = identity.tokens(), datetime.now(UTC)
    families: dict[UUID, UUID] = dict(log_ins)
    path = house.folder / "people"
    with path.open("w", encoding="ascii") as lines:
        for nth in range(people):
            somebody = UserId(user_id(nth))
            token = tokens.of_user(tenant, somebody, Role.CUSTOMER, families[somebody], now)
            lines.write(f"{somebody} {token}\n")
    return path
