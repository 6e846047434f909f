"""Payments from end to end where roles, the database and the environment hand down whatever settings they like."""

import asyncio
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from tests.pgbouncer import pgbouncer
from tests.platform.handed_down import HANDED_DOWN, REFUSED_BEHIND_A_POOLER
from tests.servers import PASSWORD
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import House, in_time, running, wait_until
from tests.system.e2e.whole import WholeHouse

REFERENCE = "€ – Оплата – 🧾"
ENVIRONMENT = {"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo", "PGCLIENTENCODING": "LATIN1"}


def hostile(postgres_url: str, settings: dict[str, str]) -> Urls:
    """An empty database that hands the settings down, to everybody and to each role; with schemas where they go by."""
    name = f"hostile_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    server = postgres_url.rpartition("@")[2].partition("/")[0]
    urls = Urls(*(f"postgresql://{role}:{PASSWORD}@{server}/{name}" for role in (OWNER, LOGIN)))
    with psycopg.connect(f"{postgres_url.rpartition('/')[0]}/{name}", autocommit=True) as superuser:
        for role in (OWNER, LOGIN) if "search_path" in settings else ():
            superuser.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
        for target in ("DATABASE {0}", "ROLE {1} IN DATABASE {0}", "ROLE {2} IN DATABASE {0}"):
            for setting, value in settings.items():
                given = sql.SQL(value) if setting == "search_path" else sql.Literal(value)
                parts = (*map(sql.Identifier, (name, OWNER, LOGIN)), sql.SQL(setting), given)
                superuser.execute(sql.SQL(f"ALTER {target} SET {{3}} = {{4}}").format(*parts))
    return urls


@pytest.fixture(autouse=True)
def roles(make_fresh_database: object) -> None:
    """The roles are the server's: the first database makes them."""


@contextmanager
def opened(database: Urls, rabbitmq_url: str, folder: Path, **settings: str) -> Iterator[House]:
    """A house over a database that it migrates itself."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    house = WholeHouse(database, rabbitmq_url, folder, **settings)
    house.command("migrate", "up")
    with running(house):
        yield house


def pays_and_tells(house: House) -> None:
    """A payment with any characters goes through, is audited, and every command can speak of it."""
    user_id = house.wallet(10_000)
    since = house.query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]
    answers = [house.pay(user_id, 700, external_reference=REFERENCE) for _ in range(3)]
    house.mode("declined")
    answers.append(house.pay(user_id, 300, external_reference=REFERENCE))
    assert [answer.status_code for answer in answers] == [201] * 4
    payment_id = answers[0].json()["payment_id"]
    wait_until(lambda: len(house.trail(payment_id)) == 2, "the payment to be audited")
    house.verify()
    assert house.balance(user_id) == 10_000 - 3 * 700
    assert REFERENCE in house.get(f"/wallets/{user_id}/transactions").text
    with psycopg.connect(house.database.owner_url, client_encoding="utf8") as owner:
        found = owner.execute(
            "SELECT p.external_reference, e.payload->'data'->>'external_reference' FROM public.payments p"
            " JOIN audit.events e ON e.subject = p.id AND e.sequence = 1 WHERE p.id = %s",
            (payment_id,),
        ).fetchall()
    assert found == [(REFERENCE, REFERENCE)]
    assert "APPROVED" in house.command("payments", "show", payment_id)
    assert re.search(r"unsent +0", house.command("outbox", "status"))
    assert "schema" in in_time(lambda: house.command("status"))
    replayed = house.command("outbox", "replay", "--from", since, "--to-queue", "audit.queue", "--json")
    assert json.loads(replayed)["events"] >= 8
    house.verify()
    assert "dead" not in house.log("audit")


def test_whatever_is_handed_down_payments_go_through(postgres_url: str, rabbitmq_url: str, tmp_path: Path) -> None:
    with opened(hostile(postgres_url, HANDED_DOWN), rabbitmq_url, tmp_path, **ENVIRONMENT) as house:
        pays_and_tells(house)


def test_so_they_do_behind_a_pooler_that_refuses_options(
    postgres_url: str, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    handed_down = {name: value for name, value in HANDED_DOWN.items() if name not in REFUSED_BEHIND_A_POOLER}
    direct = hostile(postgres_url, handed_down)
    folder = tmp_path_factory.mktemp("pooled")
    with pgbouncer(folder, direct.app_url) as (app_url,):
        assert "options" not in conninfo_to_dict(app_url)
        house = opened(direct, rabbitmq_url, tmp_path_factory.mktemp("house"), DATABASE_URL=app_url, **ENVIRONMENT)
        with house as opened_house:
            pays_and_tells(opened_house)


def test_what_cannot_be_set_behind_a_pooler_stops_the_start_at_once(
    postgres_url: str, rabbitmq_url: str, tmp_path: Path
) -> None:
    direct = hostile(postgres_url, {"client_min_messages": "error"})
    with pgbouncer(tmp_path, direct.app_url) as (app_url,):
        house = House(direct, rabbitmq_url, tmp_path, DATABASE_URL=app_url)
        house.command("migrate", "up")
        for process in ("api", "relay", "recover"):
            said = house.command(process, code=1)
            assert "client_min_messages is error" in said
            assert f'ALTER ROLE "{LOGIN}" IN DATABASE' in said
        assert "client_min_messages is error" in house.command("outbox", "status", code=1)
        assert "client_min_messages is error" in house.command("provider", "add", "Acme", code=1)
