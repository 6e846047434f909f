"""Payments a second, over many wallets and over one, beside pgbench doing the same transactions one by one."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import load
from bench.house import BenchHouse
from bench.load import Wrk
from bench.results import Measure, measure
from bench.stage import Stage, errors
from bench.written import State

LIMIT: Final = "pgbench: the same two transactions, one payment at a time"
API_MIB: Final = 150.0
OTHERS_MIB: Final = 100.0
LIMITED: Final = "/v1/wallet"
"""Whoever asks for it without a token is counted by the address alone: one limit."""
OTHERS: Final = ("relay", "recover", "metrics", "audit")


def spread(stage: Stage) -> dict[str, Measure]:
    """Many wallets; and what CPU and memory each process takes meanwhile."""
    return _against_pgbench(stage, "spread", stage.sizes.wallets, goal=1.2)


def hot(stage: Stage) -> dict[str, Measure]:
    """One wallet, which everybody pays from."""
    return _against_pgbench(stage, "hot", 1, goal=4.0)


def _against_pgbench(stage: Stage, name: str, wallets: int, goal: float) -> dict[str, Measure]:
    with stage.redis() as redis, stage.paying(REDIS_URL=redis) as (house, other):
        limits = [stage.pgbench(other, "payment", wallets=wallets).rate]
        stage.servers.vacuum(other)  # the log is the whole server's
        stage.warm_up(house, wallets, stage.sizes.connections)
        paid = paying(stage, house, wallets)
        limits.append(stage.pgbench(other, "payment", wallets=wallets).rate)
        house.check_books(with_gateway=True)
        found = measure(
            [run.rate for run in paid.runs],
            limits,
            unit="payments/s",
            limit_is=LIMIT,
            goal=goal,
            errors=errors(house, *paid.runs),
            details=paid.details | {"payments": house.payments(), "cpu_us_per_limit": _limits(stage, house)},
        )
        return {name: found} | (_memory(house) if name == "spread" else {})


@dataclass(frozen=True)
class Paid:
    """Runs of payments, and what each payment took and left, until its events were audited."""

    runs: list[Wrk]
    cpu_us: dict[str, float]
    """Of the processor, by process, in microseconds."""
    written: dict[str, object]

    @property
    def details(self) -> dict[str, object]:
        """As a measure has them."""
        return {
            "p50_ms": [run.p50_us / 1000 for run in self.runs],
            "p99_ms": [run.p99_us / 1000 for run in self.runs],
            "cpu_us_per_payment": self.cpu_us,
            **self.written,
        }


def paying(stage: Stage, house: BenchHouse, wallets: int) -> Paid:
    """Runs of payments over so many wallets, in a house that is warm."""
    house.settle_down()
    state = State.of(house)
    before, load_before, paid_before = house.cpu_s(), _load_s(), house.payments()
    runs = [
        stage.pay(house, wallets, stage.sizes.connections, f"run {nth} of {stage.sizes.repeats}")
        for nth in range(1, stage.sizes.repeats + 1)
    ]
    load_s = _load_s() - load_before
    house.settle_down()
    after, paid = house.cpu_s(), max(house.payments() - paid_before, 1)
    used_s = {name: after[name] - before[name] for name in after} | {"wrk": load_s}
    costs = {name: round(s / paid * 1e6, 1) for name, s in used_s.items()}
    by_cost = dict(sorted(costs.items(), key=lambda cost: -cost[1]))
    return Paid(runs, by_cost, State.of(house).since(state, paid))


def _limits(stage: Stage, house: BenchHouse) -> dict[str, float]:
    """The processor time that Redis takes for a limit that a request of `/v1` is counted by, in microseconds."""
    stage.say(f"limits: GET {LIMITED}, {stage.sizes.connections} connections")
    before = house.cpu_s()
    asked = load.get(f"{house.api_url}{LIMITED}", stage.sizes.connections, stage.sizes.warm_up_s)
    return {"redis": house.cpu_us(before, asked.requests)["redis"]}


def _load_s() -> float:
    """The processor time of the load programs that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(house: BenchHouse) -> dict[str, Measure]:
    held = {name: house.memory_mib(name) for name in ("api", *OTHERS)}
    others = max(OTHERS, key=lambda name: held[name]["peak"])
    return {
        "memory-api": _against_bound(held["api"]["peak"], API_MIB, {"processes": held}),
        "memory-others": _against_bound(held[others]["peak"], OTHERS_MIB, {"largest": others}),
    }


def _against_bound(value: float, bound: float, details: Mapping[str, object]) -> Measure:
    return measure([value], [bound], unit="MiB", limit_is="the bound", goal=1.0, at_most=True, details=details)
