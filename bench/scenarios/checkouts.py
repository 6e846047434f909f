"""Checkouts a second, of many products and of one, beside pgbench writing the same rows one checkout at a time."""

from typing import Final

from bench import load
from bench.clients.buying import Outcome
from bench.house import BenchHouse
from bench.people import sign_in
from bench.results import Measure, measure
from bench.scenarios.market import Hits, selling
from bench.shelf import as_the_tenant, tenant_of
from bench.stage import PGBENCH_CLIENTS, Stage

LIMIT: Final = "pgbench: the same rows in two transactions, one checkout at a time"


def checkout(stage: Stage) -> dict[str, Measure]:
    """Everybody buys anything."""
    return _against_pgbench(stage, "checkout", stage.sizes.products, goal=0.8)


def hot_product(stage: Stage) -> dict[str, Measure]:
    """Everybody buys the same, whose row all of them need."""
    return _against_pgbench(stage, "hot-product", 1, goal=3.0)


def _against_pgbench(stage: Stage, name: str, products: int, goal: float) -> dict[str, Measure]:
    sizes, buyers, shelf = stage.sizes, stage.sizes.connections, stage.sizes.products
    with (
        stage.servers.with_shop(buyers, shelf) as database,
        stage.servers.with_shop(buyers, shelf) as other,
        selling(stage, database) as house,
    ):
        people, tenant, owned = sign_in(house, buyers), tenant_of(other), as_the_tenant(other)

        def limit() -> float:
            clients = min(PGBENCH_CLIENTS, buyers)
            return stage.pgbench(owned, "checkout", clients=clients, products=products, tenant=tenant).rate

        def run(duration_s: float) -> Outcome:
            return load.buy(house.ports["HTTP_PORT"], people, products, duration_s)

        limits = [limit()]
        stage.servers.checkpoint()
        outcomes = [run(sizes.warm_up_s)]
        house.settle_down()
        before, hits = house.cpu_s(), Hits(house)
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: {buyers} buyers, {products:,} products, {sizes.run_s:g} s")
            outcomes.append(run(sizes.run_s))
        house.settle_down()
        runs = outcomes[1:]
        costs, hit_ratios = _costs(house, before, runs), hits()
        limits.append(limit())
        house.check_books(with_gateway=False)
    failed = sum(one.failed for one in outcomes)
    return {name: measure(
        [one.rate for one in runs], limits, unit="checkouts/s", limit_is=LIMIT, goal=goal, errors=failed,
        details=_details(runs) | {"cpu_us_per_checkout": costs, "hit_ratios": hit_ratios},
    )}  # fmt: skip


def _details(runs: list[Outcome]) -> dict[str, object]:
    return {
        "cart_p50_ms": [one.cart_p50_ms for one in runs],
        "order_p50_ms": [one.order_p50_ms for one in runs],
        "order_p99_ms": [one.order_p99_ms for one in runs],
        "checkouts": sum(one.checkouts for one in runs),
    }


def _costs(house: BenchHouse, before: dict[str, float], runs: list[Outcome]) -> dict[str, float]:
    """What each process took of the processor for a checkout, in µs, until its events were audited."""
    checkouts = max(sum(one.checkouts for one in runs), 1)
    used_s = {name: s - before[name] for name, s in house.cpu_s().items()}
    return {name: round(s / checkouts * 1e6, 1) for name, s in sorted(used_s.items(), key=lambda cost: -cost[1])}
