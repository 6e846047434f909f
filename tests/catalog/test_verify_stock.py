"""`strongbox verify` finds what is wrong with the stock, in every tenant, and with the walls between tenants."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.catalog.adapters.postgres.invariants import OF_TENANTS
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls, make_database
from app.main.verification import verify
from tests.builders import user_id
from tests.catalog.stocking import lines, open_stocks, operation
from tests.conftest import MakeDatabase

SECOND = TenantId(UUID(int=0x10000000000070008000000000000001))
_TENANT = "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())"
_NO_CHECK = "ALTER TABLE catalog.products DROP CONSTRAINT products_stock;"

WALLS = (
    "ALTER TABLE catalog.products NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE catalog.purchases DISABLE ROW LEVEL SECURITY",
    "DROP POLICY of_the_tenant ON catalog.reservations",
    "ALTER POLICY of_the_tenant ON catalog.reservation_lines USING (true)",
    "CREATE POLICY everybody ON catalog.categories USING (true)",
    "CREATE TABLE catalog.forgotten (tenant_id uuid)",
)
STOCK = (
    f"{_NO_CHECK} UPDATE catalog.products SET put_in = put_in + 1",
    f"{_NO_CHECK} ALTER TABLE catalog.products ALTER sold DROP NOT NULL; UPDATE catalog.products SET sold = NULL",
    "UPDATE catalog.products SET version = 0",
    "ALTER TABLE catalog.products DROP CONSTRAINT products_bucket; UPDATE catalog.products SET bucket = bucket + 16",
)
COUNTED = (
    "UPDATE catalog.products SET reserved = reserved + 1 WHERE reserved < quantity",
    "UPDATE catalog.products SET sold = sold + 1, put_in = put_in + 1",
    "UPDATE catalog.reservation_lines SET qty = qty + 1 WHERE status = 'RESERVED'",
    "UPDATE catalog.reservation_lines SET status = 'RETURNED' WHERE status = 'TAKEN'",
    "DELETE FROM catalog.products WHERE reserved > 0",
)
RESERVED_ONCE = (
    "UPDATE catalog.reservations SET refused = NULL",
    "UPDATE catalog.reservations SET refused = '{}' WHERE NOT forbidden",
    "UPDATE catalog.reservations SET forbidden = true, fingerprint = NULL WHERE refused IS NULL",
    "ALTER TABLE catalog.reservations DROP CONSTRAINT reservations_forbidden;"
    "UPDATE catalog.reservations SET forbidden = false WHERE forbidden",
    "ALTER TABLE catalog.reservation_lines DROP CONSTRAINT reservation_lines_of_a_reservation;"
    "DELETE FROM catalog.reservations WHERE pinned",
    "ALTER TABLE catalog.reservations DROP CONSTRAINT reservations_bucket;"
    "INSERT INTO catalog.reservations SELECT bucket + 16, tenant_id, context, business_id, name, fingerprint,"
    " forbidden, buyer_id, pinned, refused, created_at FROM catalog.reservations WHERE forbidden",
)
PURCHASES = (
    "DELETE FROM catalog.purchases",
    "UPDATE catalog.purchases SET product_id = gen_random_uuid()",
    "UPDATE catalog.purchases SET times = times + 1",
)
TAMPERINGS = {
    "catalog_tenants_are_walled_off": WALLS,
    "stock_adds_up": STOCK,
    "stock_is_what_reservations_say": COUNTED,
    "reservations_happened_once": RESERVED_ONCE,
    "purchases_were_taken": PURCHASES,
}


@pytest.fixture(scope="module")
def written(make_fresh_database: MakeDatabase, postgres_server: PostgresServer) -> Urls:
    """A database in which the second of three tenants has stock in all of its states."""
    database = make_fresh_database()
    asyncio.run(write(database, postgres_server.url(urlsplit(database.app_url).path[1:])))
    return database


async def write(database: Urls, superuser_url: str) -> None:
    async with open_stocks(database.app_url, superuser_url) as stocks:
        for tenant, name in ((SECOND, "second"), (TenantId(UUID(int=SECOND.int + 1)), "third")):
            await stocks.owner.execute(_TENANT.encode(), [tenant, name])
        one, two = [await stocks.product(9, tenant=SECOND) for _ in range(2)]
        taken, returned = operation("taken"), operation("returned")
        await stocks.desk.reserve(taken, SECOND, user_id(), lines({one: 1, two: 2}))
        await stocks.desk.take(SECOND, taken)
        await stocks.desk.reserve(returned, SECOND, user_id(), lines({one: 2}))
        await stocks.desk.give_back(SECOND, returned)
        await stocks.desk.reserve(operation("pinned"), SECOND, None, lines({two: 1}), pinned=True)
        await stocks.desk.reserve(operation("refused"), SECOND, user_id(), lines({two: 7}))
        await stocks.desk.forbid(SECOND, operation("forbidden"))
        assert await stocks.offenders() == []


@pytest.fixture
def copied(written: Urls, postgres_url: str) -> Urls:
    """A copy of it."""
    name = f"copy_{uuid4().hex}"
    make_database(postgres_url, name, urlsplit(written.app_url).path[1:])
    return Urls(*(f"{url.rpartition('/')[0]}/{name}" for url in written))


@pytest.fixture
def superuser(copied: Urls, postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """Whoever may do all with it."""
    with psycopg.connect(postgres_server.url(urlsplit(copied.app_url).path[1:]), autocommit=True) as connection:
        yield connection


async def broken(url: str, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """The checks that do not hold, with their offenders."""
    await verify(load({"DATABASE_URL": url, "CONTEXTS": "identity,catalog"}), as_json=True)
    found = json.loads(capsys.readouterr().out)["checks"]
    assert TAMPERINGS.keys() <= {check["name"] for check in found}
    return {check["name"]: check["offenders"] for check in found if not check["holds"]}


async def test_what_is_right_holds(
    copied: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await broken(copied.app_url, capsys) == {}


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
async def test_tampering_is_named_and_no_title_with_it(
    copied: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str], check: str, tampering: str
) -> None:
    superuser.execute(tampering.encode())
    found = await broken(copied.app_url, capsys)
    assert found[check]
    assert "a thing" not in str(found)


async def test_what_no_tenant_is_known_for_is_said_to_be_unseen(
    copied: Urls, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without identity nobody knows the tenants: their stock is not looked at, and that is said."""
    superuser.execute(COUNTED[1].encode())
    assert await verify(load({"DATABASE_URL": copied.app_url, "CONTEXTS": "catalog"}), as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert "stock_adds_up" not in {check["name"] for check in report["checks"]}
    assert any("identity is switched off" in note for note in report["notes"])


def test_every_claim_has_its_tampering() -> None:
    assert {name for name, _, _ in OF_TENANTS} <= TAMPERINGS.keys()
