"""The servers of a benchmark: a durable PostgreSQL with settings as in production, RabbitMQ, databases on demand."""

import asyncio
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from app.contexts.payments.adapters.postgres.providers import add
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.main import databases
from app.main.contexts import load
from app.main.house import House
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.redis import RedisServer
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.operator import with_pool
from app.platform.process.processes import CannotStart
from bench.filling import fill
from bench.filling_rows import CURRENCY, FUNDED_MINOR, PROVIDER_ID, user_id
from bench.hall import open_auctions
from bench.shelf import fill_shelf

PASSWORD: Final = "only-for-the-benchmark"  # noqa: S105 -- of a private server
AT_ONCE: Final = 16
FUNDING_LIMIT_S: Final = 300.0
BYTES_A_PAYMENT: Final = 10_000
"""What a payment takes on disk while it is being filled, with rows, drafts and indexes (measured: 9,300)."""
LOG_BYTES: Final = 6_000_000_000
"""What the server's log may grow to meanwhile."""

# Durable. The rest is what a server of this size would be given: room for the hot part, so much log between two
# checkpoints that none falls into a run by itself, and a vacuum that leaves the cores to those who wait.
SETTINGS: Final = (
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=2GB",
    "effective_cache_size=6GB",
    "max_wal_size=4GB",
    "checkpoint_timeout=30min",
    "autovacuum_vacuum_cost_delay=10ms",
    "max_connections=200",
)


NOT_DURABLE: Final = "fsync=off"
"""Where nothing is measured: a disk that others keep busy would have the service say that it cannot answer in time."""


class Servers:
    """Private servers under a folder, and the databases made there."""

    def __init__(self, folder: Path, say: Callable[[str], None], *, is_durable: bool = True) -> None:
        self._folder = folder
        self._say = say
        settings = SETTINGS if is_durable else (*SETTINGS, NOT_DURABLE)  # the last of a name counts
        self.postgres = PostgresServer(folder / "postgres", settings=settings)
        self.rabbitmq = RabbitMQNode(folder / "rabbitmq")
        self.redis = RedisServer(folder / "redis")
        """Started by those who need it."""
        self._templates: set[str] = set()
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Start both.

        Raises:
            CannotStart: one of them, or pgbench, is not to be had.
        """
        self._say("starting PostgreSQL and RabbitMQ")
        self.postgres.start()
        _ = self.pgbench
        self.rabbitmq.start()
        make_roles(self.postgres.url(), PASSWORD, PASSWORD)

    def stop(self) -> None:
        self.redis.stop()
        self.rabbitmq.stop()
        self.postgres.stop()

    @property
    def pgbench(self) -> Path:
        beside = self.postgres.binaries / "pgbench" if self.postgres.binaries else None
        found = str(beside) if beside and beside.exists() else shutil.which("pgbench")
        if not found:
            raise CannotStart("pgbench is not installed (Debian: apt-get install postgresql)")
        return Path(found)

    @property
    def versions(self) -> tuple[str, str]:
        """Those of PostgreSQL and RabbitMQ."""
        with psycopg.connect(self.postgres.url()) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        said = self.rabbitmq.log.read_text(encoding="utf-8", errors="replace")
        rabbitmq = re.search(r"RabbitMQ (\d[\w.]*)", said)
        return str(row[0]), rabbitmq[1] if rabbitmq else "unknown"

    def checkpoint(self) -> None:
        """Begin what is measured next with clean buffers, as whatever it is compared with began."""
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def vacuum(self, database: Urls) -> None:
        """Have done now what the server would do by itself while something else is measured."""
        with psycopg.connect(database.owner_url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")

    @contextmanager
    def empty(self) -> Iterator[Urls]:
        """A database that nothing was migrated in."""
        with self._made("empty", None) as urls:
            yield urls

    @contextmanager
    def with_wallets(self, wallets: int) -> Iterator[Urls]:
        """A database with so many funded wallets, and nothing else."""
        with self._copy(f"wallets_{wallets}", lambda urls: _fund(urls, wallets)) as urls:
            yield urls

    @contextmanager
    def with_shop(self, wallets: int, products: int) -> Iterator[Urls]:
        """A database with so many funded wallets, and so many products on the shelf."""

        def prepare(urls: Urls) -> None:
            _fund(urls, wallets)
            fill_shelf(urls, products)

        with self._copy(f"shop_{wallets}_{products}", prepare) as urls:
            yield urls

    @contextmanager
    def with_auctions(self, wallets: int) -> Iterator[Urls]:
        """A database with so many funded wallets, and auctions."""

        def prepare(urls: Urls) -> None:
            _fund(urls, wallets)
            open_auctions(urls)

        with self._copy(f"auctions_{wallets}", prepare) as urls:
            yield urls

    @contextmanager
    def with_payments(self, payments: int, wallets: int) -> Iterator[Urls]:
        """A database with so many final payments, spread over the wallets, and all that belongs to them."""
        with self._copy(f"payments_{payments}_{wallets}", lambda urls: self._fill(urls, payments, wallets)) as urls:
            yield urls

    @contextmanager
    def full(self, payments: int, wallets: int) -> Iterator[Urls]:
        """The same, too large to be made as a copy."""
        with self._made("full", None) as urls:
            migrations.up(databases.at(urls.owner_url))
            self._fill(urls, payments, wallets)
            yield urls

    def _fill(self, urls: Urls, payments: int, wallets: int) -> None:
        free, needed = shutil.disk_usage(self._folder).free, payments * BYTES_A_PAYMENT
        needed += min(needed, LOG_BYTES)
        if free < needed:
            raise CannotStart(
                f"{payments:,} payments take up to {needed / 1e9:.0f} GB below {self._folder}, "
                f"where {free / 1e9:.0f} GB are free"
            )
        fill(urls.owner_url, payments, wallets, lambda step: self._say(f"filling {payments:,} payments: {step}"))

    @contextmanager
    def _copy(self, template: str, prepare: Callable[[Urls], None]) -> Iterator[Urls]:
        if template not in self._templates:
            self._say(f"making the database {template}")
            make_database(self.postgres.url(), template)
            urls = self._urls(template)
            migrations.up(databases.at(urls.owner_url))
            prepare(urls)
            self._templates.add(template)
        with self._made(f"copy_of_{template}", template) as urls:
            yield urls

    @contextmanager
    def _made(self, name: str, template: str | None) -> Iterator[Urls]:
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            name = f"{name}_{next(self._numbers)}"
            make_database(self.postgres.url(), name, template)
            try:
                yield self._urls(name)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _urls(self, database: str) -> Urls:
        return Urls(*(self.postgres.url(database, role, PASSWORD) for role in (OWNER, LOGIN)))


def _fund(urls: Urls, wallets: int) -> None:
    """Fund the wallets as the operator's command does."""

    amount = Money(FUNDED_MINOR, Currency(CURRENCY))

    # A machine that halts for a second gives a wallet no connection in time. The reference funds it once.
    container = House(load({"DATABASE_URL": urls.app_url})).container("funds")

    @retry(
        retry=retry_if_exception(lambda error: fault(error) is not Fault.OTHER),
        wait=wait_fixed(1),
        stop=stop_after_delay(FUNDING_LIMIT_S),
        reraise=True,
    )
    async def fund_one(nth: int) -> None:
        await container.paying_in().fund(UserId(user_id(nth)), amount, "filled")

    async def fund() -> None:
        await add(container.funding_pool(), PROVIDER_ID, "Filled")
        for first in range(0, wallets, AT_ONCE):
            batch = range(first, min(first + AT_ONCE, wallets))
            await asyncio.gather(*(fund_one(nth) for nth in batch))

    asyncio.run(with_pool(container.funding_pool(), container.database().url, fund))
