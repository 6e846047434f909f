"""Refunds a second, of payments over many wallets, beside payments over the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import load
from bench.house import BenchHouse
from bench.load import Wrk
from bench.people import OPEN
from bench.results import Measure, measure
from bench.shops import machine_of
from bench.stage import Stage, errors

LIMIT: Final = "payments of the same run, by turns"
SCOPE: Final = "payments:refund"
REFUNDS: Final = "/v1/payments/{id}/refunds"
MOST: Final = 50_000
"""How many payments are refunded at the most, each again and again, a cent at a time."""


def refunds(stage: Stage) -> dict[str, Measure]:
    """Payments and refunds by turns; what is given back is charged, and compared with the gateway's record."""
    sizes = stage.sizes
    with stage.servers.with_wallets(sizes.wallets) as database, stage.house(database, **OPEN) as house:
        token = machine_of(house, SCOPE)

        def run(duration_s: float) -> Wrk:
            return load.refund(house.api_url, token, _payments(house), sizes.connections, duration_s)

        stage.warm_up(house, sizes.wallets, sizes.connections)
        run(sizes.warm_up_s)
        house.settle_down()
        paying, refunding = [], []
        used, before = dict.fromkeys(house.cpu_s(), 0.0), house.answers(REFUNDS)[201]
        for nth in range(1, sizes.repeats + 1):
            paying.append(stage.pay(house, sizes.wallets, sizes.connections, f"limit {nth} of {sizes.repeats}"))
            house.settle_down()
            began = house.cpu_s()
            stage.say(f"run {nth} of {sizes.repeats}: refunds, {sizes.connections} connections, {sizes.run_s:g} s")
            refunding.append(run(sizes.run_s))
            house.settle_down()
            used = {name: used[name] + s - began[name] for name, s in house.cpu_s().items()}
        answers = house.answers(REFUNDS)
        house.check_books(with_gateway=True)
        made = answers[201] - before
        failed = sum(count for status, count in answers.items() if status != 201) + sum(one.lost for one in refunding)
        failed += errors(house, *paying)
    costs = {name: round(s / max(made, 1) * 1e6, 1) for name, s in sorted(used.items(), key=lambda cost: -cost[1])}
    return {"refunds": measure(
        [one.rate for one in refunding], [one.rate for one in paying], unit="refunds/s", limit_is=LIMIT, goal=0.9,
        errors=failed, details=_details(paying, refunding) | {"refunds": made, "cpu_us_per_refund": costs},
    )}  # fmt: skip


def _details(paying: Sequence[Wrk], refunding: Sequence[Wrk]) -> dict[str, object]:
    return {
        "p50_ms": [one.p50_us / 1000 for one in refunding],
        "p99_ms": [one.p99_us / 1000 for one in refunding],
        "payments_p50_ms": [one.p50_us / 1000 for one in paying],
    }


def _payments(house: BenchHouse) -> Path:
    """A file with the ids of the newest of them, a line each."""
    found = house.query(
        f"SELECT id FROM payments WHERE status = 'APPROVED' ORDER BY created_at DESC LIMIT {MOST}"
    )  # fmt: skip
    path = house.folder / "payments"
    path.write_text("".join(f"{payment_id}\n" for (payment_id,) in found), encoding="ascii")
    return path
