"""Bids a second in one auction, beside pgbench writing the same rows one bid at a time."""

import itertools
from typing import Final

from bench import load
from bench.clients.bidding import Outcome
from bench.people import OPEN, sign_in
from bench.results import Measure, measure
from bench.shelf import as_the_tenant, tenant_of
from bench.stage import PGBENCH_CLIENTS, Stage

LIMIT: Final = "pgbench: the same rows in two transactions, one bid at a time on the one auction"
AUCTIONS_A_RUN: Final = 8


def one_auction(stage: Stage) -> dict[str, Measure]:
    """Everybody bids for the same piece, and outbids the one before."""
    sizes, bidders = stage.sizes, stage.sizes.connections
    with (
        stage.servers.with_auctions(bidders) as database,
        stage.servers.with_auctions(bidders) as other,
        stage.house(database, **OPEN) as house,
    ):
        people, tenant, owned = sign_in(house, bidders), tenant_of(other), as_the_tenant(other)
        numbers = itertools.count(0)

        def limit() -> float:
            clients = min(PGBENCH_CLIENTS, bidders)
            return stage.pgbench(owned, "bid", clients=clients, nth=next(numbers), tenant=tenant).rate

        def run(nth: int, duration_s: float) -> Outcome:
            return load.bid(house.ports["HTTP_PORT"], people, nth * AUCTIONS_A_RUN, duration_s)

        limits = [limit()]
        stage.servers.checkpoint()
        outcomes = [run(0, sizes.warm_up_s)]
        house.settle_down()
        before = house.cpu_s()
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: {bidders} bidders, one auction, {sizes.run_s:g} s")
            outcomes.append(run(nth, sizes.run_s))
        house.settle_down()
        runs = outcomes[1:]
        costs = house.cpu_us(before, sum(one.bids for one in runs))
        limits.append(limit())
        house.check_books(with_gateway=False)
    return {"one-auction": measure(
        [one.rate for one in runs], limits, unit="bids/s", limit_is=LIMIT, goal=3.0,
        errors=sum(one.failed for one in outcomes), details=_details(runs) | {"cpu_us_per_bid": costs},
    )}  # fmt: skip


def _details(runs: list[Outcome]) -> dict[str, object]:
    return {
        "p50_ms": [one.p50_ms for one in runs],
        "p99_ms": [one.p99_ms for one in runs],
        "bids": sum(one.bids for one in runs),
        "too_low": sum(one.statuses.get(409, 0) for one in runs),
    }
