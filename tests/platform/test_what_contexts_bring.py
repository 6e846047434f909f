"""A context that is made up here brings a check, a part and a gauge: each is run, looked at and shown by being given.

Its page is in `test_console_pages.py`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry, Gauge

from app.contexts.funds.adapters.operations.checks import checks_of_funds
from app.kernel.errors import Unavailable
from app.main.local.roles import Urls
from app.platform.metrics.exposition import serve
from app.platform.metrics.gauges import looking, watching
from app.platform.operations.health import Health, Part, State, look_at
from app.platform.operations.verify import Check, Finding, verify
from app.platform.postgres.evidence import Checks, Compare, Database, Note, lanes
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import QueryCheck, query_checks
from app.platform.process.processes import free_port
from tests.conftest import MakeDatabase

PRICES = ("prices_are_paid", "every auction has its price", "SELECT format('auction %s', id) FROM auctions")
_TABLE = "CREATE TABLE auctions (id int); GRANT SELECT, UPDATE ON auctions TO strongbox_app"


@pytest.fixture
def auctions(make_fresh_database: MakeDatabase) -> Urls:
    """A database that has the context's table, too."""
    urls = make_fresh_database()
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(_TABLE)
    return urls


async def checked(urls: Urls, notes: list[str], progress: list[str], *brought: Checks) -> dict[str, Finding]:
    """What `verify` finds beside what it finds of funds, by the checks' names."""
    trail = Database("AUDIT_DATABASE_URL", urls.app_url)
    contexts = (checks_of_funds(Database("DATABASE_URL", urls.app_url)), *brought)
    async with AsyncExitStack() as stack:
        found = await lanes(
            contexts, trail, stack, notes.append, lambda what, _, __: progress.append(what), lambda _: None
        )
        findings = await verify(found, lambda *_: None)
    return {finding.name: finding for finding in findings}


async def test_a_check_is_run_in_the_contexts_own_database(auctions: Urls, database: Urls) -> None:
    """What may only be added to is held to it, and what is outside is read first."""
    with psycopg.connect(auctions.owner_url) as owner:
        owner.execute("INSERT INTO auctions VALUES (7)")

    @asynccontextmanager
    async def between(note: Note) -> AsyncIterator[Compare]:
        note("the auction house was not asked")
        yield lambda trail, books: [QueryCheck(books, "auctions_are_told", "each is told", "SELECT 'a'", None)]

    notes: list[str] = []
    progress: list[str] = []
    brought = Checks(
        Database("AUCTIONS_DATABASE_URL", auctions.app_url),
        lambda books: query_checks(books, [PRICES]),
        append_only=("auctions",),
        between=between,
        outside="the auction house",
    )
    found = await checked(database, notes, progress, brought)
    assert found["prices_are_paid"].offenders == ("auction 7",)
    assert found["auctions_are_told"].offenders == ("a",)
    assert "strongbox_app may UPDATE auctions" in found["ledger_is_append_only"].offenders
    assert found["wallets_match_their_entries"].holds
    assert notes == ["the auction house was not asked"]
    assert progress == ["the auction house"]


class Looks:
    """A check that finds nothing wrong, and keeps which auctions are seen where."""

    name = claim = "nothing is wrong"

    def __init__(self, seen: dict[str, list[int]], **connections: Session) -> None:
        self._seen = seen
        self._connections = connections

    async def offenders(self) -> AsyncIterator[str]:
        for name, connection in self._connections.items():
            cursor = await connection.execute("SELECT id FROM auctions ORDER BY id")
            self._seen[name] = [number for (number,) in await cursor.fetchall()]
        return
        yield


async def test_what_is_outside_is_read_before_the_trail_and_that_before_the_books(auctions: Urls) -> None:
    """Each of them has what was committed before the one that is compared with it was read."""
    seen: dict[str, list[int]] = {}

    def insert(number: int) -> None:
        with psycopg.connect(auctions.owner_url) as owner:
            owner.execute("INSERT INTO auctions VALUES (%s)", [number])

    @asynccontextmanager
    async def between(_: Note) -> AsyncIterator[Compare]:
        insert(1)

        def compare(trail: Session, books: Session) -> Sequence[Check]:
            return [Looks(seen, trail=trail, books=books)]

        yield compare

    database = Database("DATABASE_URL", auctions.app_url)
    opened: list[Session] = []

    def note_opened(connection: Session) -> None:
        opened.append(connection)
        if len(opened) == 2:  # both of the trail, none of the books
            insert(2)

    async with AsyncExitStack() as stack:
        brought = Checks(database, lambda _: (), between=between)
        found = await lanes([brought], database, stack, lambda _: None, lambda *_: None, note_opened)
        await verify(found, lambda *_: None)
    assert seen == {"trail": [1], "books": [1, 2]}
    assert len(opened) == 4


async def test_a_part_is_looked_at_beside_the_others() -> None:
    async def fine() -> Health:
        return Health(State.OK, "3 auctions are open")

    async def away() -> Health:
        raise Unavailable("the auction house does not answer")

    found = await look_at((Part("auctions", fine, "start it"), Part("house", away, "see to it")), 5)
    assert found["auctions"] == Health(State.OK, "3 auctions are open")
    assert found["house"] == Health(State.DOWN, "the auction house does not answer", "see to it")


async def test_a_gauge_is_looked_at_and_scraped() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("auctions_open", "Auctions that take bids.", registry=registry)

    async def look() -> None:
        gauge.set(3)

    port = free_port()
    async with serve("127.0.0.1", port, registry), watching(looking(look)), httpx.AsyncClient() as client:
        scraped = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert "auctions_open 3.0" in scraped.text
