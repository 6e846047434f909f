"""What a payment takes when nobody is in a hurry, beside the sum of its parts."""

from collections.abc import Mapping

from app.main.local.roles import Urls
from app.platform.process.processes import CannotStart
from bench import load
from bench.house import BenchHouse
from bench.results import Measure, measure
from bench.stage import Stage, errors

CLIENTS = 4


def quiet(stage: Stage) -> Mapping[str, Measure]:
    """Four connections: half of the payments, beside half of the gateway's calls and half of the transactions."""
    with stage.paying() as (house, other):
        parts = [_parts_ms(stage, house, other)]
        stage.warm_up(house, stage.sizes.wallets, CLIENTS)
        runs = [stage.pay(house, stage.sizes.wallets, CLIENTS) for _ in range(stage.sizes.repeats)]
        house.check_books(with_gateway=True)
        failed = errors(house, *runs)
        parts.append(_parts_ms(stage, house, other))
        found = measure(
            [run.p50_us / 1000 for run in runs],
            [sum(each.values()) for each in parts],
            unit="ms (p50)",
            limit_is="a call of the gateway and the two transactions, each alone with as many clients (p50)",
            goal=1.5,
            at_most=True,
            errors=failed,
            details={"p99_ms": [run.p99_us / 1000 for run in runs], "parts_ms": parts},
        )
        return {"quiet": found}


def _parts_ms(stage: Stage, house: BenchHouse, database: Urls) -> dict[str, float]:
    transactions = stage.pgbench(database, "payment", clients=CLIENTS, wallets=stage.sizes.wallets)
    stage.say(f"limit: the gateway's calls, {CLIENTS} connections, {stage.sizes.limit_s:g} s")
    calls = load.charge(house.gateway_url, CLIENTS, stage.sizes.limit_s)
    if calls.lost or calls.refused:
        raise CannotStart(f"the gateway refused {calls.refused} of {calls.requests} charges, and lost {calls.lost}")
    house.forget_charges()  # they belong to no payment
    return {"gateway": calls.p50_us / 1000, "transactions": transactions.p50_ms}
