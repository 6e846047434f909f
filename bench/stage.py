"""What the scenarios share: the servers, how long and how large everything is, and the load with its limit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from app.main.local.roles import Urls
from bench import load
from bench.house import BenchHouse, ending
from bench.load import Pgbench, Wrk
from bench.servers import Servers

PAYMENTS: Final = "/wallets/{user_id}/payments"
PGBENCH_CLIENTS: Final = 32


@dataclass(frozen=True)
class Sizes:
    """How long, in seconds, and how much."""

    run_s: float = 20.0
    limit_s: float = 15.0
    warm_up_s: float = 5.0
    steady_s: float = 60.0
    endurance_s: float = 600.0
    repeats: int = 3
    wallets: int = 10_000
    connections: int = 64
    bulk: int = 1_000
    backlog_payments: int = 25_000
    entries: int = 1_000_000
    grown_payments: int = 5_000_000
    slow_connections: int = 500
    slow_latency_ms: int = 1_000
    products: int = 10_000
    listed_products: int = 100_000
    mints: int = 1_000
    watchers: int = 500
    deliveries: int = 20_000
    dead_deliveries: int = 100_000
    lines: int = 1_000_000
    transactions: int | None = None
    """How many of them each client of pgbench does, instead of as many as it can in its time."""

    def with_runs_of(self, duration_s: float, repeats: int) -> "Sizes":
        return replace(self, run_s=duration_s, limit_s=duration_s * 0.75, repeats=repeats)


SHORT: Final = Sizes(
    run_s=1.0,
    limit_s=1.0,
    warm_up_s=1.0,
    steady_s=2.0,
    endurance_s=2.0,
    repeats=1,
    wallets=40,
    connections=8,
    bulk=20,
    backlog_payments=300,
    entries=2_000,
    grown_payments=2_000,
    slow_connections=20,
    slow_latency_ms=200,
    products=400,
    listed_products=1_000,
    mints=40,
    watchers=20,
    deliveries=500,
    dead_deliveries=500,
    lines=2_000,
    transactions=5,
)


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays. `say` tells what it does."""

    servers: Servers
    sizes: Sizes
    folder: Path
    say: Callable[[str], None]

    @contextmanager
    def house(self, database: Urls, **environment: str) -> Iterator[BenchHouse]:
        """All processes over the database, until the end of the block. `environment` goes over their defaults."""
        self.say("starting the processes")
        with ending(BenchHouse(self.servers, database, self.folder)) as house:
            house.environment |= environment
            house.start_all()
            yield house

    @contextmanager
    def redis(self) -> Iterator[str]:
        """A Redis with nothing in it, until the end of the block; its URL."""
        redis = self.servers.redis
        redis.start()
        try:
            yield redis.url
        finally:
            redis.stop()

    @contextmanager
    def paying(self, **environment: str) -> Iterator[tuple[BenchHouse, Urls]]:
        """All processes over wallets without a payment, and another such database for the limit."""
        wallets = self.sizes.wallets
        with (
            self.servers.with_wallets(wallets) as database,
            self.servers.with_wallets(wallets) as other,
            self.house(database, **environment) as house,
        ):
            yield house, other

    def pgbench(
        self, database: Urls, script: str, *, clients: int = PGBENCH_CLIENTS, wallets: int = 1, **values: object
    ) -> Pgbench:
        """What PostgreSQL alone does of it, one at a time for each client."""
        self.say(f"limit: pgbench {script}, {clients} clients, {self.sizes.limit_s:g} s")

        def run(duration_s: float) -> Pgbench:
            how_long = [f"--time={round(duration_s)}"]
            if self.sizes.transactions:
                how_long = [f"--transactions={self.sizes.transactions}"]
            program = [str(self.servers.pgbench), *how_long, database.owner_url]
            return load.pgbench(program, script, clients, self.folder, limit_s=duration_s, wallets=wallets, **values)

        self.servers.checkpoint()
        run(self.sizes.warm_up_s)
        return run(self.sizes.limit_s)

    def warm_up(self, house: BenchHouse, wallets: int, connections: int) -> None:
        """Load that is not measured, so that what is measured meets warm caches and connections."""
        self.servers.checkpoint()
        load.pay(house.api_url, wallets, connections, self.sizes.warm_up_s, self.folder)

    def pay(self, house: BenchHouse, wallets: int, connections: int, name: str = "run") -> Wrk:
        """A run of payments."""
        self.say(f"{name}: payments over {wallets:,} wallets, {connections} connections, {self.sizes.run_s:g} s")
        return load.pay(house.api_url, wallets, connections, self.sizes.run_s, self.folder)


def errors(house: BenchHouse, *runs: Wrk) -> int:
    """Payments that were not answered with 201, and those that were not answered."""
    answers = house.answers(PAYMENTS)
    return sum(count for status, count in answers.items() if status != 201) + sum(run.lost for run in runs)
