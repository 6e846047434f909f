"""A house that the context has joined, at work."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.main.local.roles import make_database
from app.platform.process.processes import free_port
from tests.conftest import MakeDatabase
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import House

ROOT = Path(__file__).parents[2]
TOOL = "tests.greetings"
CONSUMERS = "tests.greetings.consumers"
OPERATOR_KEY = "an-operators-key-of-the-tests"
UNHURRIED = {"REQUEST_TIMEOUT_S": "12", "GATEWAY_TIMEOUT_S": "3", "RECOVER_AFTER_S": "13"}
"""Nobody's time is over here, however busy the machine is."""


class Joined(House):
    """A house with the context in it."""

    def start_all(self) -> None:
        """Start what there is of the context, and what serves it."""
        self.migrated = self.command("migrate", "up")
        self.start("relay", TOOL, "relay")
        self.start("answer", TOOL, "answer")
        self.start("console", TOOL, "console", expect=lambda: ok(f"{self.console_url}/healthz"))
        self.start("api", TOOL, "api", expect=lambda: ok(f"{self.api_url}/readyz"))

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['CONSOLE_PORT']}"

    def greetings(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the context's database, as its owner sees them."""
        url = self.environment.get("MIGRATE_GREETINGS_DATABASE_URL") or self.database.owner_url
        with psycopg.connect(url) as owner:
            return owner.execute(query.encode()).fetchall()


def ok(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module", params=["shared database", "database of its own"])
def house(
    request: pytest.FixtureRequest,
    make_fresh_database: MakeDatabase,
    postgres_url: str,
    rabbitmq_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Joined]:
    """The house that the context has joined."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    database = make_fresh_database()
    own: dict[str, str] = {}
    if request.param == "database of its own":
        name = f"greetings_{uuid4().hex[:8]}"
        make_database(postgres_url, name)
        own = {
            f"{prefix}GREETINGS_DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"
            for prefix, url in (("", database.app_url), ("MIGRATE_", database.owner_url))
        }
    ports = {name: str(free_port()) for name in ("CONSOLE_PORT", "RELAY_METRICS_PORT", "ANSWER_METRICS_PORT")}
    house = Joined(
        database, rabbitmq_url, tmp_path_factory.mktemp("joined"), PYTHONPATH=str(ROOT),
        CONSOLE_KEYS=f"alice:{OPERATOR_KEY}", GREETINGS_MOOD="merry", **UNHURRIED, **ports, **own,
    )  # fmt: skip
    house.tool = TOOL
    try:
        house.start_all()
        yield house
    finally:
        for name in [*house.processes]:
            house.stop(name)


def shows(line: str, port: int) -> bool:
    shown = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return re.search(f"^{line}", shown, re.MULTILINE) is not None
