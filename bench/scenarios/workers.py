"""Two processes of the API between runs of one: what they reach, beside what the sizing model says by what one took."""

from dataclasses import asdict
from statistics import fmean, median

from bench.machine import cores
from bench.results import Measure, measure
from bench.scenarios.spread import Paid, paying
from bench.sizing.measured import Point
from bench.sizing.points import foretell
from bench.stage import Stage, errors


def workers(stage: Stage) -> dict[str, Measure]:
    """The load of `spread` on both, on one before and after. Everything shares the machine, with two as with one.

    The model's rate is that of a part that is busy all the time; no load is so even, so that 0.8 of it is the goal.
    """
    (before, lost), (between, lost_between), (after, lost_after) = (_paid(stage, apis) for apis in (1, 2, 1))
    ones, two = (_point(1, before), _point(1, after)), _point(2, between)
    one = Point(
        1,
        fmean(each.payments_per_second for each in ones),
        {name: fmean(each.cpu_us_per_payment[name] for each in ones) for name in ones[0].cpu_us_per_payment},
    )
    return {
        "workers": measure(
            [run.rate for run in between.runs],
            [foretell(each, two, cores()).at_most for each in ones],
            unit="payments/s",
            limit_is="the sizing model, by what a payment took with one process of the API",
            goal=0.8,
            errors=lost + lost_between + lost_after,
            details=between.details | {"points": [asdict(one), asdict(two)]},
        )
    }


def _point(apis: int, paid: Paid) -> Point:
    return Point(apis, median(run.rate for run in paid.runs), paid.cpu_us)


def _paid(stage: Stage, apis: int) -> tuple[Paid, int]:
    """The payments by so many processes, and the errors among them."""
    wallets = stage.sizes.wallets
    with stage.servers.with_wallets(wallets) as database, stage.house(database, HTTP_WORKERS=str(apis)) as house:
        stage.say(f"processes of the API: {apis}")
        stage.warm_up(house, wallets, stage.sizes.connections)
        paid = paying(stage, house, wallets)
        house.check_books(with_gateway=True)
        return paid, errors(house, *paid.runs)
