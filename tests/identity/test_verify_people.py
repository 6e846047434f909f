"""`strongbox verify` finds what is wrong with people, in every tenant, and with the walls between tenants."""

import json
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.contexts.identity.adapters.postgres.invariants import OF_TENANTS
from app.main.contexts import load
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.main.verification import verify

PASSWORD = "only-for-this-test"
TENANT = "10000000-0000-7000-8000-000000000001"
USER = "20000000-0000-7000-8000-000000000001"
FAMILY = "30000000-0000-7000-8000-000000000001"

SOMEBODY = f"""
    INSERT INTO identity.tenants (id, name, house_user_id) VALUES ('{TENANT}', 'second', gen_random_uuid());
    INSERT INTO identity.users (tenant_id, id, role, username, email, password_hash, wallet_address, created_at)
    VALUES ('{TENANT}', '{USER}', 'customer', 'ursula', 'ursula@example.org', '$argon2id$v=19$x',
            '0x' || repeat('aB', 20), now());
    INSERT INTO identity.families (tenant_id, id, user_id, created_at, expires_at)
    VALUES ('{TENANT}', '{FAMILY}', '{USER}', now(), now());
    INSERT INTO identity.refresh_tokens (tenant_id, token_hash, family_id, created_at)
    VALUES ('{TENANT}', 'first', '{FAMILY}', now());
"""

WALLS = (
    "ALTER TABLE identity.users NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE identity.sessions DISABLE ROW LEVEL SECURITY",
    "DROP POLICY of_the_tenant ON identity.nonces",
    "ALTER POLICY of_the_tenant ON identity.sessions USING (true)",
    "ALTER POLICY of_the_tenant ON identity.clients WITH CHECK (true)",
    "CREATE POLICY everybody ON identity.refresh_tokens USING (true)",
    "CREATE TABLE identity.forgotten (tenant_id uuid)",
    "ALTER TABLE identity.nonces RENAME TO secrets",
)
HEADS = (
    f"""
        DROP INDEX identity.refresh_tokens_one_unspent;
        INSERT INTO identity.refresh_tokens (tenant_id, token_hash, family_id, created_at)
        VALUES ('{TENANT}', 'second', '{FAMILY}', now())
    """,
    """
        ALTER TABLE identity.families DROP CONSTRAINT families_user_fkey;
        UPDATE identity.families SET user_id = gen_random_uuid()
    """,
)
USERS = (
    "UPDATE identity.users SET username = 'Ada'",
    "UPDATE identity.users SET username = '0xursula'",
    "UPDATE identity.users SET email = 'Ada@example.org'",
    "UPDATE identity.users SET email = 'ursula'",
    "UPDATE identity.users SET wallet_address = 'abc'",
    "UPDATE identity.users SET password_hash = 'in clear'",
    "UPDATE identity.users SET version = 0",
    "ALTER TABLE identity.users DROP CONSTRAINT users_password_of_an_email; UPDATE identity.users SET email = NULL",
    f"""
        ALTER TABLE identity.users DROP CONSTRAINT users_wallet_address_key;
        INSERT INTO identity.users (tenant_id, id, role, wallet_address, created_at)
        VALUES ('{TENANT}', gen_random_uuid(), 'customer', lower('0x' || repeat('aB', 20)), now())
    """,
    f"""
        ALTER TABLE identity.users DROP CONSTRAINT users_email_key;
        INSERT INTO identity.users (tenant_id, id, role, email, created_at)
        VALUES ('{TENANT}', gen_random_uuid(), 'customer', 'ursula@example.org', now())
    """,
)
TAMPERINGS = {
    "tenants_are_walled_off": WALLS,
    "families_have_one_head": HEADS,
    "users_are_well_formed": USERS,
}


@pytest.fixture
def superuser(database: Urls, postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """Whoever may do all with the database, in which there is somebody of a second tenant."""
    name = str(conninfo_to_dict(database.app_url)["dbname"])
    with psycopg.connect(postgres_server.url(name), autocommit=True) as connection:
        connection.execute(SOMEBODY.encode())
        yield connection


async def broken(url: str, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """The checks that do not hold, with their offenders."""
    await verify(load({"DATABASE_URL": url, "CONTEXTS": "identity"}), as_json=True)
    found = json.loads(capsys.readouterr().out)["checks"]
    assert {"tenants_are_walled_off", "services_are_walled_in"} <= {check["name"] for check in found}
    assert {name for name, _, _ in OF_TENANTS} <= {check["name"] for check in found}
    return {check["name"]: check["offenders"] for check in found if not check["holds"]}


async def test_what_is_right_holds(
    database: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await broken(database.app_url, capsys) == {}


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
async def test_tampering_is_named_and_nothing_personal_with_it(
    database: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str], check: str, tampering: str
) -> None:
    superuser.execute(tampering.encode())
    if "RENAME" in tampering:  # the table that a check reads is another one
        superuser.execute("CREATE TABLE identity.nonces (n text)")
    found = await broken(database.app_url, capsys)
    assert [*found] == [check]
    assert "example.org" not in str(found)
    assert "ursula" not in str(found).lower()


@pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS", "OWNER"])
async def test_a_login_that_no_wall_holds_is_named(
    database: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str], right: str
) -> None:
    name = f"login_{uuid4().hex[:12]}"
    attribute, groups = ("", "strongbox_app") if right == "OWNER" else (right, "strongbox_app")
    superuser.execute(f"CREATE ROLE {name} LOGIN {attribute} PASSWORD '{PASSWORD}' IN ROLE {groups}".encode())
    try:
        if right == "OWNER":
            superuser.execute(f"ALTER TABLE identity.users OWNER TO {name}".encode())
        found = await broken(make_conninfo(database.app_url, user=name, password=PASSWORD), capsys)
        ((offender,),) = [found["services_are_walled_in"]]
        assert name in offender
    finally:
        superuser.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}".encode())
