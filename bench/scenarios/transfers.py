"""Money from user to user a second, among many and to one, beside pgbench doing the same transaction one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.main.local.roles import Urls
from bench import load
from bench.house import BenchHouse
from bench.load import Wrk
from bench.people import OPEN, sign_in
from bench.results import Measure, measure
from bench.stage import Stage

SEND: Final = "/v1/wallet/send"
LIMIT: Final = "pgbench: the same transaction over two wallets, one at a time"


def sends(stage: Stage) -> dict[str, Measure]:
    """Everybody sends to anybody."""
    return _against_pgbench(stage, "sends", to_one=False, goal=1.2)


def to_one(stage: Stage) -> dict[str, Measure]:
    """Everybody sends to one, whose row all of them need."""
    return _against_pgbench(stage, "to-one", to_one=True, goal=6.0)


@contextmanager
def _banking(stage: Stage) -> Iterator[tuple[BenchHouse, Urls]]:
    """All processes over funded wallets, and another such database for the limit."""
    wallets = stage.sizes.wallets
    with (
        stage.servers.with_wallets(wallets) as database,
        stage.servers.with_wallets(wallets) as other,
        stage.house(database, **OPEN) as house,
    ):
        yield house, other


def _against_pgbench(stage: Stage, name: str, *, to_one: bool, goal: float) -> dict[str, Measure]:
    sizes = stage.sizes
    with _banking(stage) as (house, other):
        stage.say(f"{sizes.wallets:,} people log in")
        people = sign_in(house, sizes.wallets)

        def limit() -> float:
            return stage.pgbench(other, "transfer", wallets=sizes.wallets, one=int(to_one)).rate

        def run(duration_s: float) -> Wrk:
            return load.send(house.api_url, people, sizes.connections, duration_s, to_one=to_one)

        limits = [limit()]
        stage.servers.checkpoint()
        run(sizes.warm_up_s)
        house.settle_down()
        before, sent_before = house.cpu_s(), house.answers(SEND)[201]
        runs = []
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: {sizes.connections} connections, {sizes.run_s:g} s")
            runs.append(run(sizes.run_s))
        house.settle_down()
        answers = house.answers(SEND)
        costs = house.cpu_us(before, answers[201] - sent_before)
        limits.append(limit())
        house.check_books(with_gateway=False)
        failed = sum(count for status, count in answers.items() if status != 201) + sum(one.lost for one in runs)
    return {
        name: measure(
            [one.rate for one in runs], limits, unit="transfers/s", limit_is=LIMIT, goal=goal, errors=failed,
            details={
                "p50_ms": [one.p50_us / 1000 for one in runs],
                "p99_ms": [one.p99_us / 1000 for one in runs],
                "transfers": answers[201],
                "cpu_us_per_transfer": costs,
            },
        )
    }  # fmt: skip
