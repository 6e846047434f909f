"""A database that was made before there were contexts goes on: `data/before_contexts.sql` is the dump of one.

It was made by the processes of that version, with four payments: two approved, one declined, one that failed.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from app.main import databases
from app.main.local.roles import OWNER, Urls, make_database
from app.platform.postgres.home import number
from tests.conftest import MakeDatabase
from tests.system.e2e.house import HEADERS, House

DUMP = Path(__file__).with_name("data") / "before_contexts.sql"
USER = "0190c7a0-0000-7000-8000-000000000001"


@pytest.fixture
def old(make_fresh_database: MakeDatabase, postgres_url: str) -> Urls:
    """The database as it was."""
    migrated, name = make_fresh_database(), f"before_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    urls = Urls(*(f"{url.rpartition('/')[0]}/{name}" for url in migrated))
    with psycopg.connect(urls.owner_url) as owner:
        assert owner.info.user == OWNER
        owner.execute(DUMP.read_bytes())
    return urls


@pytest.fixture
def house(old: Urls, tmp_path: Path) -> Iterator[House]:
    """A house on it. No broker is needed to read, to pay and to verify."""
    house = House(old, "amqp://127.0.0.1:1/", tmp_path)
    yield house
    for name in [*house.processes]:
        house.stop(name)


def test_it_is_migrated_served_and_verified_as_it_is(house: House) -> None:
    assert house.command("migrate", "version").strip() == "4"
    newer = [name for target in databases.at(house.database.owner_url) for name in target.expected.migrations]
    newer = sorted(name for name in newer if number(name) > 4)
    assert house.command("migrate", "up") == "".join(f"ran {name}\n" for name in newer)
    assert "up to date" in house.command("migrate", "up")
    assert house.command("migrate", "version").strip() == str(number(newer[-1]))
    house.start_api()
    wallets = f"{house.api_url}/wallets/{USER}"
    (balance,) = httpx.get(f"{wallets}/balance", headers=HEADERS).json()["balances"]
    assert balance["current_balance"] == 10_000_000 - 1_250 - 900
    lines = httpx.get(f"{wallets}/transactions", headers=HEADERS).json()["transactions"]
    assert len(lines) == 7  # paid in, four payments, two refunds
    replayed = httpx.post(
        f"{wallets}/payments",
        headers=HEADERS | {"Idempotency-Key": "key-1"},
        json={
            "provider_id": "0190c7a0-0000-7000-8000-00000000000a",
            "external_reference": "order-1",
            "amount": 1250,
            "currency": "USD",
        },
    )
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (201, "true")
    report = json.loads(house.command("verify", "--json"))
    assert report["holds"] is True
    assert len(report["checks"]) > 10
    shown = house.command("payments", "show", replayed.json()["payment_id"])
    assert "payment.created" in shown
