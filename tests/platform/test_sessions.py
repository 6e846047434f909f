"""What roles, databases and the environment hand down to sessions changes nothing, or is refused by name."""

import uuid
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.kernel.errors import Unavailable
from app.main import databases
from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from app.platform.postgres import migration_sessions, migrations
from app.platform.postgres.inspection import inspecting
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.rules import misread
from app.platform.postgres.sessions import UnfitSession
from tests.conftest import MakeDatabase
from tests.platform.handed_down import HANDED_DOWN, KINDS, LIST, Hand, hand, in_a_pool
from tests.servers import PASSWORD

__all__ = ["hand"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_is_the_same_whatever_is_handed_down_to_it(
    kind: Any, database: Urls, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await kind(database.owner_url)
    hand(**HANDED_DOWN)
    for name, value in (("PGDATESTYLE", "German"), ("PGTZ", "Asia/Tokyo"), ("PGCLIENTENCODING", "LATIN1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGOPTIONS", "-c datestyle=Postgres -c client_min_messages=error")
    assert await kind(database.owner_url) == before
    assert before[0][4:9] == (2, LIST, "public", "read committed", "on")


async def test_more_durable_than_asked_for_stays_so(database: Urls, hand: Hand) -> None:
    hand(synchronous_commit="remote_apply")
    ((*_, synchronous_commit, _),) = await in_a_pool(database.owner_url)
    assert synchronous_commit == "remote_apply"


async def test_a_session_whose_foreign_keys_hold_nothing_is_refused(database: Urls, postgres_url: str) -> None:
    name = conninfo_to_dict(database.app_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as superuser:
        superuser.execute(f"ALTER ROLE {LOGIN} IN DATABASE {name} SET session_replication_role = replica")
    with pytest.raises(UnfitSession, match=f"session_replication_role .* ALTER ROLE .{LOGIN}. IN DATABASE"):
        async with snapshot(database.app_url):
            pass
    with pytest.raises(Unavailable, match="cannot be used: session_replication_role is replica"):
        async with inspecting(database.app_url, 60.0):
            pass


@pytest.mark.parametrize("setting", ["on", "off"])
async def test_the_currencys_rule_is_read_however_names_are_quoted(database: Urls, setting: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as connection:
        await connection.execute(f"SET quote_all_identifiers = {setting}")
        assert await misread(connection) == {}


def test_a_schema_named_like_the_owner_is_not_where_the_books_go(postgres_url: str, make_fresh_database: Any) -> None:
    server = postgres_url.rpartition("@")[2].partition("/")[0]
    for name in ('b#o?k"s %41/x', f"plain_{uuid.uuid4().hex[:8]}"):
        make_database(postgres_url, name)
        url = psycopg.conninfo.make_conninfo(f"postgresql://{OWNER}:{PASSWORD}@{server}", dbname=name)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"CREATE SCHEMA {OWNER}")
        assert len(migrations.up(databases.at(url))) == migrations.latest(databases.at(url))
        login = psycopg.conninfo.make_conninfo(url, user=LOGIN)
        (target,) = databases.at(login)
        assert migrations.applied(target) == target.expected.migrations


def test_books_that_an_old_search_path_put_elsewhere_are_not_begun_anew(database: Urls) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA bank")
        for table in ("wallet_balances", "_yoyo_migration"):
            owner.execute(f"ALTER TABLE {table} SET SCHEMA bank")
    with pytest.raises(migration_sessions.UnfitDatabase, match="in the schema bank"):
        migrations.up(databases.at(database.owner_url))


def test_consumers_tables_that_an_old_search_path_put_elsewhere_are_not_begun_anew_nor_anything_before(
    make_fresh_database: MakeDatabase, postgres_url: str
) -> None:
    consumers, name = make_fresh_database(), f"beside_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    service_url = f"{consumers.owner_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(consumers.owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE SCHEMA bank; ALTER TABLE _yoyo_migration SET SCHEMA bank; DROP TABLE wallet_balances CASCADE"
        )
    with pytest.raises(migration_sessions.UnfitDatabase, match="in the schema bank"):
        migrations.up(databases.at(service_url, consumers.owner_url))
    assert migrations.version(databases.at(service_url)) == 0
