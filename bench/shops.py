"""A house that gives cashback: people whose address is known, a rule, and a machine that tells of purchases.

The people and the rule by SQL, the machine's token by the house's own key.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import psycopg

from app.contexts.identity.container import IdentityContainer
from app.contexts.identity.domain.client import Client
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from bench.filling_rows import CURRENCY
from bench.house import BenchHouse
from bench.shelf import as_the_tenant, tenant_of

SCOPE: Final = "purchases:write"
RULE: Final = UUID("0190c7a0-0000-7000-8000-0000000000c1")
BASIS_POINTS: Final = 100
"""Of a cent a hundred base units: a hundredth of it, in tokens with six decimals that are worth a dollar."""

# As the service writes them, of people whose events it has heard.
_RULE: Final = """
    INSERT INTO rewards.rules (tenant_id, id, basis_points, currency, is_active, created_at, updated_at)
    VALUES (%(tenant)s, %(rule)s, %(basis_points)s, %(currency)s, true, now(), now())
"""
_PEOPLE: Final = """
    INSERT INTO rewards.users (bucket, tenant_id, user_id, address, heard)
    SELECT get_byte(uuid_send(u.id), 15) & 15, %(tenant)s, u.id,
           '0x' || md5('address ' || n) || left(md5('more ' || n), 8), 1
    FROM generate_series(0, %(people)s - 1) n, LATERAL (SELECT md5('user ' || n)::uuid) u (id)
"""
_WHOSE: Final = """
    INSERT INTO rewards.whereabouts (user_id, tenant)
    SELECT md5('user ' || n)::uuid, %(tenant)s FROM generate_series(0, %(people)s - 1) n
"""
_MACHINE: Final = """
    INSERT INTO identity.clients (tenant_id, id, name, secret_hash, scopes, created_at)
    VALUES (%(tenant)s, %(machine)s, 'a till', sha256('nobody has it'), ARRAY[%(scope)s], now())
"""


def know_people(urls: Urls, people: int) -> None:
    """Have the owners of the first wallets have an address each, and a rule that gives for all that they buy."""
    given = {
        "tenant": tenant_of(urls), "people": people, "rule": RULE, "basis_points": BASIS_POINTS, "currency": CURRENCY
    }  # fmt: skip
    with psycopg.connect(as_the_tenant(urls).owner_url, cursor_factory=psycopg.ClientCursor) as owner:
        for statement in (_RULE, _PEOPLE, _WHOSE):
            owner.execute(statement.encode(), given)
        owner.execute("ANALYZE rewards.rules, rewards.users")  # as autovacuum would have, within a minute


def machine_of(house: BenchHouse, scope: str = SCOPE) -> str:
    """A token of a machine that may tell of purchases, or do what another scope allows."""
    machine, tenant = uuid4(), TenantId(tenant_of(house.database))
    with psycopg.connect(as_the_tenant(house.database).owner_url) as owner:
        owner.execute(_MACHINE.encode(), {"tenant": tenant, "machine": machine, "scope": scope})
    identity: IdentityContainer = House(load(house.environment, {})).container("identity")
    now = datetime.now(UTC)
    till = Client(
        tenant_id=tenant, id=machine, name="a till", scopes=frozenset({scope}), generation=1, created_at=now
    )  # fmt: skip
    return identity.tokens().of_client(till, scope, now)
