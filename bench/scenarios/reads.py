"""Balances and pages of a wallet with a long history, beside a route of the same server that reads nothing."""

from collections.abc import Mapping
from statistics import fmean

from bench import load
from bench.filling_rows import user_id
from bench.house import BenchHouse
from bench.load import Wrk
from bench.results import Measure, measure
from bench.stage import Stage


def reads(stage: Stage) -> Mapping[str, Measure]:
    """The balance, and the newest page of transactions."""
    paths = {
        "reads-balance": f"/wallets/{user_id(0)}/balance",
        "reads-page": f"/wallets/{user_id(0)}/transactions",
    }
    with stage.servers.with_payments(stage.sizes.entries, 1) as database, stage.house(database) as house:
        before = _get(stage, house, "/healthz")
        runs = {name: [_get(stage, house, path) for _ in range(stage.sizes.repeats)] for name, path in paths.items()}
        after = _get(stage, house, "/healthz")
    return {
        name: measure(
            [run.rate for run in of_path],
            [before.rate, after.rate],
            unit="requests/s",
            limit_is="GET /healthz of the same server",
            goal=0.5,
            errors=sum(run.lost + run.refused for run in of_path),
            details={"p99_ms": fmean(run.p99_us for run in of_path) / 1000},
        )
        for name, of_path in runs.items()
    }


def _get(stage: Stage, house: BenchHouse, path: str) -> Wrk:
    stage.say(f"GET {path}, {stage.sizes.connections} connections, {stage.sizes.limit_s:g} s")
    load.get(house.api_url + path, stage.sizes.connections, min(2.0, stage.sizes.warm_up_s))
    return load.get(house.api_url + path, stage.sizes.connections, stage.sizes.limit_s)
