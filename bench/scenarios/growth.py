"""Whether it stays as fast: payments and relay with millions of payments in the tables, beside tables without any."""

from collections.abc import Mapping
from statistics import median

from app.main.local.roles import Urls
from bench.results import Measure, measure
from bench.scenarios.relay import count_events, drain
from bench.stage import Stage, errors


def growth(stage: Stage) -> Mapping[str, Measure]:
    """The empty tables before and after, the full ones in between."""
    sizes = stage.sizes
    backlog, wallets = sizes.backlog_payments, sizes.wallets
    paid_empty, relayed_empty, failed, missing = [], [], 0, 0

    def on_empty_tables() -> None:
        nonlocal failed, missing
        stage.say("tables without a history")
        with stage.servers.with_wallets(wallets) as database:
            rates, lost = _pay(stage, database, with_gateway=True)
            paid_empty.append(median(rates))
            failed += lost
        with stage.servers.with_payments(backlog, wallets) as database:
            rates, lost = drain(stage, database, count_events(database))
            relayed_empty.append(median(rates))
            missing += lost

    with stage.servers.with_payments(backlog, wallets) as database:
        events = count_events(database)
    with stage.servers.full(sizes.grown_payments, wallets) as full:
        on_empty_tables()
        stage.say(f"tables with {sizes.grown_payments:,} payments")
        paid, lost = _pay(stage, full, with_gateway=False)
        failed += lost
        relayed, lost = drain(stage, full, events)
        missing += lost
        on_empty_tables()
    details = {"payments_before": sizes.grown_payments}
    limit_is = "the same on tables without a history"
    return {
        "growth-spread": measure(
            paid, paid_empty, unit="payments/s", limit_is=limit_is, goal=0.9, errors=failed, details=details
        ),
        "growth-relay": measure(
            relayed, relayed_empty, unit="events/s", limit_is=limit_is, goal=0.9, errors=missing, details=details
        ),
    }


def _pay(stage: Stage, database: Urls, *, with_gateway: bool) -> tuple[list[float], int]:
    sizes = stage.sizes
    with stage.house(database) as house:
        stage.warm_up(house, sizes.wallets, sizes.connections)
        runs = [stage.pay(house, sizes.wallets, sizes.connections) for _ in range(sizes.repeats)]
        house.check_books(with_gateway=with_gateway)
        return [run.rate for run in runs], errors(house, *runs)
