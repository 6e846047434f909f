"""Purchases that a machine tells of, and what they earn, a second, beside pgbench writing the same rows one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from app.contexts.rewards.public import EVENTS
from app.main.local.roles import Urls
from bench import broker, load
from bench.house import BenchHouse
from bench.load import Wrk
from bench.people import OPEN
from bench.results import Measure, measure
from bench.shelf import as_the_tenant, tenant_of
from bench.shops import RULE, know_people, machine_of
from bench.stage import Stage

BUY: Final = "/v1/purchases"
LIMIT: Final = "pgbench: the same transaction, one purchase at a time"


@contextmanager
def _selling(stage: Stage) -> Iterator[tuple[BenchHouse, Urls]]:
    """All processes over people with an address each, and another such database for the limit."""
    people = stage.sizes.wallets
    with stage.servers.with_wallets(people) as database, stage.servers.with_wallets(people) as other:
        for each in (database, other):
            know_people(each, people)
        with stage.house(database, **OPEN) as house:
            yield house, other
    broker.purge(stage.servers.rabbitmq.url, EVENTS)  # nobody mints here


def purchases(stage: Stage) -> dict[str, Measure]:
    """Everybody buys, and all of it is to be minted at once."""
    sizes = stage.sizes
    with _selling(stage) as (house, other):
        token, owned = machine_of(house), as_the_tenant(other)
        tenant, machine = tenant_of(other), uuid4()

        def limit() -> float:
            wallets = sizes.wallets
            return stage.pgbench(owned, "purchase", wallets=wallets, tenant=tenant, machine=machine, rule=RULE).rate

        def run(duration_s: float) -> Wrk:
            return load.purchase(house.api_url, token, sizes.wallets, sizes.connections, duration_s, house.folder)

        limits = [limit()]
        stage.servers.checkpoint()
        run(sizes.warm_up_s)
        house.settle_down()
        before, made_before = house.cpu_s(), house.answers(BUY)[201]
        runs = []
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: {sizes.connections} connections, {sizes.run_s:g} s")
            runs.append(run(sizes.run_s))
        house.settle_down()
        answers = house.answers(BUY)
        costs = house.cpu_us(before, answers[201] - made_before)
        limits.append(limit())
        house.check_books(with_gateway=False)
        failed = sum(count for status, count in answers.items() if status != 201) + sum(one.lost for one in runs)
    return {
        "purchases": measure(
            [one.rate for one in runs], limits, unit="purchases/s", limit_is=LIMIT, goal=1.0, errors=failed,
            details={
                "p50_ms": [one.p50_us / 1000 for one in runs],
                "p99_ms": [one.p99_us / 1000 for one in runs],
                "purchases": answers[201],
                "cpu_us_per_purchase": costs,
            },
        )
    }  # fmt: skip
