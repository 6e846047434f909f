"""Products, and lists of them, as people look at them, through the cache."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench import load
from bench.house import BenchHouse
from bench.load import Wrk
from bench.results import Measure, measure
from bench.scenarios.market import Hits, selling
from bench.shelf import CATEGORIES, SELLERS, as_the_tenant, product_id, seller_id, tenant_of
from bench.stage import Stage

HOT_PART: Final = 20
"""One product of so many is looked at again and again."""
LEVEL1_MB: Final = 4
"""Room for those, and for a part of the others that is gone when its turn comes again."""


def browse(stage: Stage) -> dict[str, Measure]:
    """Products: nine of ten requests are for those that level 1 keeps, the others for what Redis has."""
    sizes = stage.sizes
    hot = sizes.products // HOT_PART
    with (
        stage.servers.with_shop(sizes.connections, sizes.products) as database,
        selling(stage, database, CACHE_L1_MB=str(LEVEL1_MB)) as house,
    ):
        products = _file(house, "products", [str(product_id(nth)) for nth in range(sizes.products)])

        def run(duration_s: float) -> Wrk:
            return load.browse(house.api_url, products, hot, sizes.connections, duration_s)

        def limit() -> Wrk:
            return load.get(f"{house.api_url}/healthz", sizes.connections, sizes.limit_s)

        stage.say(f"everything into Redis, {sizes.products:,} products")
        load.browse(house.api_url, products, 0, sizes.connections, sizes.warm_up_s)
        limits = [limit()]
        run(sizes.warm_up_s)
        runs, hits = _runs(stage, house, run)
        limits.append(limit())
    return {
        "browse": measure(
            [one.rate for one in runs], [one.rate for one in limits], unit="requests/s",
            limit_is="GET /healthz of the same server", goal=0.7,
            errors=sum(one.lost + one.refused for one in (*runs, *limits)),
            details={"p99_ms": [one.p99_us / 1000 for one in runs], "hit_ratios": hits},
        )
    }  # fmt: skip


def list_(stage: Stage) -> dict[str, Measure]:
    """Pages of 20 that nobody has asked for before, of products that the cache gets to know meanwhile."""
    sizes = stage.sizes
    with (
        stage.servers.with_shop(sizes.connections, sizes.listed_products) as database,
        selling(stage, database) as house,
    ):
        # Each page is planned for what it asks for, as the service has it done.
        owned, tenant = as_the_tenant(database, "plan_cache_mode=force_custom_plan"), tenant_of(database)
        sellers = _file(house, "sellers", [str(seller_id(nth)) for nth in range(SELLERS)])

        def run(duration_s: float) -> Wrk:
            return load.list_products(house.api_url, sellers, CATEGORIES, sizes.connections, duration_s)

        def limit() -> float:
            return stage.pgbench(owned, "list", tenant=tenant, sellers=SELLERS, categories=CATEGORIES).rate

        limits = [limit()]
        run(sizes.warm_up_s)
        runs, hits = _runs(stage, house, run)
        limits.append(limit())
    return {
        "list": measure(
            [one.rate for one in runs], limits, unit="requests/s",
            limit_is="pgbench: which products, and what they are, without a cache", goal=0.3,
            errors=sum(one.lost + one.refused for one in runs),
            details={"p99_ms": [one.p99_us / 1000 for one in runs], "hit_ratios": hits},
        )
    }  # fmt: skip


def _runs(stage: Stage, house: BenchHouse, run: Callable[[float], Wrk]) -> tuple[list[Wrk], dict[str, float]]:
    """The runs, and how much of what they looked for the cache had."""
    sizes, hits, runs = stage.sizes, Hits(house), []
    for nth in range(1, sizes.repeats + 1):
        stage.say(f"run {nth} of {sizes.repeats}: {sizes.connections} connections, {sizes.run_s:g} s")
        runs.append(run(sizes.run_s))
    return runs, hits()


def _file(house: BenchHouse, name: str, lines: list[str]) -> Path:
    path = house.folder / name
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path
