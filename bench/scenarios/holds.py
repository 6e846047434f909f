"""Money set aside and handed over a second, through the port, beside pgbench doing the same one at a time."""

from app.main.local.roles import Urls
from bench import load
from bench.clients.holding import Outcome, Plan
from bench.results import Measure, measure
from bench.stage import Stage


def holds(stage: Stage) -> dict[str, Measure]:
    """A hold and its capture for another user, over many wallets, in the process that asks for them."""
    sizes, wallets = stage.sizes, stage.sizes.wallets
    with (
        stage.servers.with_wallets(wallets) as database,
        stage.servers.with_wallets(wallets) as other,
        stage.house(database) as house,
    ):

        def limit() -> float:
            return stage.pgbench(other, "hold", wallets=wallets).rate

        def run(duration_s: float) -> Outcome:
            return load.client("holding", _plan(stage, database, duration_s), Outcome, duration_s)

        limits = [limit()]
        stage.servers.checkpoint()
        run(sizes.warm_up_s)
        runs = []
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: {sizes.connections} at once, {sizes.run_s:g} s")
            runs.append(run(sizes.run_s))
        house.settle_down()
        limits.append(limit())
        house.check_books(with_gateway=False)
    return {
        "holds": measure(
            [one.captured / one.duration_s for one in runs], limits, unit="holds/s",
            limit_is="pgbench: the same two transactions, one hold at a time", goal=3.0,
            errors=sum(one.refused for one in runs),
        )
    }  # fmt: skip


def _plan(stage: Stage, database: Urls, duration_s: float) -> Plan:
    return Plan(database.app_url, stage.sizes.wallets, stage.sizes.connections, duration_s)
