"""A gateway that takes its time: as many payments as wait for it, no memory that grows, and reads as quick as ever."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench import load
from bench.clients.paced import Outcome, Plan
from bench.filling_rows import user_id
from bench.house import BenchHouse
from bench.results import Measure, measure
from bench.scenarios.spread import API_MIB
from bench.stage import Stage, errors
from tests.system.e2e.house import API_KEY

ROOM_S: Final = 3.0
"""How much longer than the reads beside it the load goes on: they begin and end within it."""


def slow_gateway(stage: Stage) -> Mapping[str, Measure]:
    """Payments in flight that all wait for the gateway, and a client that reads a balance meanwhile."""
    sizes = stage.sizes
    with stage.paying() as (house, _), ThreadPoolExecutor(1) as beside:
        stage.warm_up(house, sizes.wallets, sizes.connections)
        idle_ms = [_balance_ms(stage, house)]
        house.mode("latency", latency_ms=sizes.slow_latency_ms)
        stage.say(f"run: {sizes.slow_connections} payments in flight, {sizes.slow_latency_ms} ms each at the gateway")
        paying = beside.submit(load.client, "paced", _plan(stage, house), Outcome, sizes.run_s + ROOM_S)
        house.wait(lambda: _in_flight(house) >= sizes.slow_connections // 2 or paying.done(), "payments in flight")
        busy_ms = _balance_ms(stage, house)
        outcome = paying.result()
        house.mode("happy")
        memory = house.memory_mib("api")
        house.settle_down()
        idle_ms.append(_balance_ms(stage, house))
        house.check_books(with_gateway=True)
        failed = errors(house) + outcome.lost
    return {
        "slow-gateway": measure(
            [outcome.rate], [sizes.slow_connections / sizes.slow_latency_ms * 1000], unit="payments/s",
            limit_is="payments in flight / the gateway's latency", goal=0.95, errors=failed,
            details={"p50_ms": outcome.p50_ms, "p99_ms": outcome.p99_ms},
        ),
        "slow-gateway-reads": measure(
            [busy_ms], idle_ms, unit="ms (p50)", limit_is="the same read with the API idle", goal=2.0, at_most=True,
        ),
        "slow-gateway-memory": measure(
            [memory["peak"]], [API_MIB], unit="MiB", limit_is="the bound", goal=1.0, at_most=True,
        ),
    }  # fmt: skip


def _plan(stage: Stage, house: BenchHouse) -> Plan:
    sizes = stage.sizes
    port, provider = house.ports["HTTP_PORT"], str(house.provider_id)
    return Plan(port, sizes.wallets, provider, API_KEY, "slow", sizes.slow_connections, 0.0, sizes.run_s + ROOM_S)


def _balance_ms(stage: Stage, house: BenchHouse) -> float:
    url = f"{house.api_url}/wallets/{user_id(0)}/balance"
    return load.get(url, 1, max(1.0, stage.sizes.run_s / 2)).p50_us / 1000


def _in_flight(house: BenchHouse) -> int:
    ((count,),) = house.query("SELECT count(*) FROM payments WHERE status = 'PENDING'")
    return int(count)
