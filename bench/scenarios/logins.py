"""How late balances are read while many try to log in, whose passwords take the processor that reads want, too."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bench import load
from bench.clients.paced import Outcome, Plan
from bench.house import BenchHouse
from bench.people import OPEN
from bench.results import Measure, measure
from bench.stage import Stage
from tests.system.e2e.house import API_KEY

LOG_IN: Final = "/v1/auth/login"
READS_A_SECOND: Final = 200
REFUSED: Final = (401, 503)
"""A wrong password; and nobody can look at it now."""


def logins(stage: Stage) -> Mapping[str, Measure]:
    """Balances at a pace, alone and beside a flood of log-ins."""
    sizes = stage.sizes
    with stage.servers.with_wallets(sizes.wallets) as database, stage.house(database, **OPEN) as house:
        _read(stage, house, sizes.warm_up_s)
        alone = [_read(stage, house, sizes.limit_s)]
        beside = []
        for _ in range(sizes.repeats):
            with _flood(stage, house):
                beside.append(_read(stage, house, sizes.run_s))
            alone.append(_read(stage, house, sizes.limit_s))
        tried = house.answers(LOG_IN)
    wrong = sum(count for status, count in tried.items() if status not in REFUSED)
    failed = sum(one.lost + sum(n for status, n in one.statuses.items() if status != 200) for one in (*alone, *beside))
    return {
        "logins": measure(
            [one.p99_ms for one in beside], [one.p99_ms for one in alone], unit="ms (p99)",
            limit_is="the same, with nobody logging in", goal=2.0, at_most=True, errors=failed + wrong,
            details={
                "reads_a_second": READS_A_SECOND,
                "log_ins": {str(status): count for status, count in tried.items()},
                "p50_ms": [one.p50_ms for one in beside],
                "p50_alone_ms": [one.p50_ms for one in alone],
            },
        )
    }  # fmt: skip


def _read(stage: Stage, house: BenchHouse, duration_s: float) -> Outcome:
    port, provider, connections = house.ports["HTTP_PORT"], str(house.provider_id), 8
    plan = Plan(
        port, stage.sizes.wallets, provider, API_KEY, "logins", connections, READS_A_SECOND, duration_s, reads=True
    )
    return load.client("paced", plan, Outcome, duration_s)


@contextmanager
def _flood(stage: Stage, house: BenchHouse) -> Iterator[None]:
    """Log-ins, as fast as they are refused, until the end of the block and a little longer."""
    flood = threading.Thread(
        target=load.log_in, args=(house.api_url, stage.sizes.connections, stage.sizes.run_s + stage.sizes.warm_up_s)
    )
    before = sum(house.answers(LOG_IN).values())
    flood.start()
    try:
        house.wait(lambda: sum(house.answers(LOG_IN).values()) > before, "the first log-in to be refused")
        yield
    finally:
        flood.join()
