"""One process of the API, and two: what was reached, beside what the sizing model says of two by what one took."""

from dataclasses import asdict
from statistics import median
from typing import Final

from bench.machine import cores
from bench.results import Measure, measure
from bench.scenarios.spread import Paid, paying
from bench.sizing.measured import Point
from bench.sizing.points import foretell
from bench.stage import Stage, errors

APIS: Final = (1, 2)
GOAL: Final = 0.8
"""A part that is busy all the time is what the model's rate means; the load is not so even."""


def workers(stage: Stage) -> dict[str, Measure]:
    """The load of `spread` on both. Everything shares the machine, with two as with one."""
    (one, failed), (two, failed_of_two) = (_paid(stage, apis) for apis in APIS)
    first, second = (
        Point(apis, median(run.rate for run in paid.runs), paid.cpu_us)
        for apis, paid in zip(APIS, (one, two), strict=True)
    )
    return {
        "workers": measure(
            [run.rate for run in two.runs],
            [foretell(first, second, cores()).at_most],
            unit="payments/s",
            limit_is="the sizing model, by what a payment took with one process of the API",
            goal=GOAL,
            errors=failed + failed_of_two,
            details=two.details | {"points": [asdict(first), asdict(second)]},
        )
    }


def _paid(stage: Stage, apis: int) -> tuple[Paid, int]:
    """The payments by so many processes, and the errors among them."""
    wallets = stage.sizes.wallets
    with stage.servers.with_wallets(wallets) as database, stage.house(database, HTTP_WORKERS=str(apis)) as house:
        stage.say(f"processes of the API: {apis}")
        stage.warm_up(house, wallets, stage.sizes.connections)
        paid = paying(stage, house, wallets)
        house.check_books(with_gateway=True)
        return paid, errors(house, *paid.runs)
