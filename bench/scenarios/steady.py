"""Half of what is possible, at an even pace: latencies, and how soon the audit log knows."""

from collections.abc import Mapping
from typing import Any, Final

from bench import load
from bench.clients.paced import Outcome, Plan
from bench.house import BenchHouse
from bench.load import Wrk
from bench.results import Measure, measure
from bench.stage import Stage, errors
from tests.system.e2e.house import API_KEY

P99_MS: Final = 50.0
LAG_P99_MS: Final = 250.0

# From the event's time, which is read while its transaction holds its locks, to the beginning of the audit's own.
_LAG: Final = """
    SELECT percentile_disc(ARRAY[0.5, 0.99, 0.999])
           WITHIN GROUP (ORDER BY extract(epoch FROM received_at - occurred_at)::float8 * 1000)
    FROM audit.events WHERE occurred_at >= %s
"""


def steady(stage: Stage) -> Mapping[str, Measure]:
    """Requests that leave when they are meant to, whatever has become of those before."""
    with stage.paying() as (house, _):
        fastest = the_most(stage, house)
        rate = max(fastest.rate / 2, 1.0)
        ((began,),) = house.query("SELECT clock_timestamp()")
        outcome = at_a_pace(stage, house, rate, stage.sizes.steady_s)
        house.check_books(with_gateway=True)
        failed = errors(house, fastest) + outcome.lost
        ((lag,),) = house.query(_LAG, began)
    return {
        "steady": _within(outcome.p99_ms, P99_MS, failed, {
            "rate": rate, "reached": outcome.rate, "p50_ms": outcome.p50_ms, "p999_ms": outcome.p999_ms,
            "worst_ms": outcome.worst_ms, "answers": {str(status): n for status, n in outcome.statuses.items()},
        }),
        "steady-lag": _within(lag[1], LAG_P99_MS, failed, {"p50_ms": lag[0], "p999_ms": lag[2]}),
    }  # fmt: skip


def the_most(stage: Stage, house: BenchHouse) -> Wrk:
    """A run as fast as it goes, and all that it leaves to do; the service is warm then."""
    sizes = stage.sizes
    stage.warm_up(house, sizes.wallets, sizes.connections)
    fastest = stage.pay(house, sizes.wallets, sizes.connections, "the most that is possible")
    house.settle_down()
    return fastest


def at_a_pace(stage: Stage, house: BenchHouse, rate: float, duration_s: float) -> Outcome:
    """So many payments a second, each of which leaves when it is meant to."""
    sizes = stage.sizes
    port, provider = house.ports["HTTP_PORT"], str(house.provider_id)
    plan = Plan(port, sizes.wallets, provider, API_KEY, "steady", sizes.connections, rate, duration_s)
    stage.servers.checkpoint()
    stage.say(f"run: {rate:.0f} payments/s for {duration_s:g} s")
    return load.client("paced", plan, Outcome, duration_s)


def _within(value_ms: float, bound_ms: float, failed: int, details: Mapping[str, Any]) -> Measure:
    return measure(
        [value_ms], [bound_ms], unit="ms (p99)", limit_is="the bound", goal=1.0, at_most=True, errors=failed,
        details=details,
    )  # fmt: skip
