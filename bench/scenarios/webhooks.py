"""Deliveries a second of one sender to 50 webhooks, beside a bare httpx loop; and beside 100,000 that wait for somebody
who lets connections come and says nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg

from app.main.local.roles import Urls
from app.platform.process.processes import comes_true, free_port
from bench import load
from bench.clients.posting import Outcome, Plan
from bench.deliveries import add_deliveries, add_webhooks, body, wake
from bench.house import ROOT, BenchHouse, ending
from bench.results import Measure, measure
from bench.stage import Stage
from tests.system.teller.asking import listens

WEBHOOKS: Final = 50
LIMIT: Final = "a bare httpx loop that posts as many bodies as long to the same receiver, one at a time for each URL"
ALONE: Final = "the same without the one that is dead"
SENT_LIMIT_S: Final = 300.0
_LEFT: Final = """
    SELECT count(*) FILTER (WHERE status <> 'DELIVERED'), extract(epoch FROM max(delivered_at) - %s)::float8
    FROM webhooks.deliveries WHERE endpoint_id = ANY (%s) AND created_at >= %s
"""


@dataclass(frozen=True)
class _Sending:
    """A sender at work, whom it sends to, and somebody dead."""

    house: BenchHouse
    url: str
    tenants: Sequence[Sequence[UUID]]
    dead: Sequence[UUID]

    @property
    def database(self) -> Urls:
        return self.house.database


def webhooks(stage: Stage) -> Mapping[str, Measure]:
    """One sender process, with and without somebody dead among those that it sends to."""
    each = stage.sizes.deliveries // WEBHOOKS
    total, limits, alone, beside = each * WEBHOOKS, list[float](), list[float](), list[float]()
    refused = 0
    with _sending(stage) as at_work:
        stage.say("warming up")
        _sent(at_work, max(each // 10, 1))
        stage.say(f"{stage.sizes.dead_deliveries:,} deliveries for somebody dead, who sleeps for now")
        add_deliveries(at_work.database, at_work.dead, stage.sizes.dead_deliveries)
        for nth in range(1, stage.sizes.repeats + 1):
            stage.say(f"run {nth} of {stage.sizes.repeats}")
            # Who comes second finds what the first has left: each is that in turn. What somebody dead was asked last
            # has timed out behind the limit.
            first, second = (alone, beside) if nth % 2 else (beside, alone)
            first.append(_run(stage, at_work, each, is_beside=first is beside))
            limit = _bare(stage, at_work.url, total)
            limits.append(limit.rate)
            refused += limit.refused
            second.append(_run(stage, at_work, each, is_beside=second is beside))
        attempts = _attempts_of(at_work)
        memory = at_work.house.memory_mib("webhooks")["peak"]
    details = {"deliveries": total, "webhooks": WEBHOOKS, "peak_mib": memory}
    dead = {"waiting": stage.sizes.dead_deliveries, "attempts_of_the_dead": attempts}
    return {
        "webhooks": measure(
            alone, limits, unit="deliveries/s", limit_is=LIMIT, goal=0.5, errors=refused, details=details
        ),
        "webhooks-beside-dead": measure(
            beside, alone, unit="deliveries/s", limit_is=ALONE, goal=0.95, errors=refused, details=dead
        ),
    }


@contextmanager
def _sending(stage: Stage) -> Iterator[_Sending]:
    port, silent = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with stage.servers.with_wallets(1) as database, ending(BenchHouse(stage.servers, database, stage.folder)) as house:
        house.environment |= {
            "WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        key = house.environment["WEBHOOK_KEY"]
        tenants = add_webhooks(database, key, [f"{url}/{nth}" for nth in range(WEBHOOKS)])
        (dead,) = add_webhooks(database, key, [f"http://127.0.0.1:{silent}/"])
        house.start("receiver", "bench.clients.receiver", str(port), str(silent), expect=lambda: listens(silent))
        house.start("webhooks", "app", "webhooks", expect=lambda: "consuming" in house.log("webhooks"))
        yield _Sending(house, url, tenants, dead)
        for name in ("webhooks", "receiver"):
            house.processes[name].kill()  # calls to somebody who says nothing would be waited for
            house.processes.pop(name).wait()


def _run(stage: Stage, at_work: _Sending, each: int, *, is_beside: bool) -> float:
    """How many a second, while somebody dead is called or is not."""
    stage.say(f"{each * WEBHOOKS:,} deliveries" + (", with somebody dead awake" if is_beside else ""))
    before = at_work.house.cpu_s()
    _awake(at_work, is_awake=is_beside)
    rate = _sent(at_work, each)
    _awake(at_work, is_awake=False)
    stage.say(f"{rate:,.0f} a second; µs of CPU for each: {at_work.house.cpu_us(before, each * WEBHOOKS)}")
    return rate


def _sent(at_work: _Sending, each: int) -> float:
    """So many to each webhook; how many a second, from the moment on when somebody may look at them."""
    endpoints = [one for tenant in at_work.tenants for one in tenant]
    with psycopg.connect(at_work.database.owner_url, autocommit=True) as owner:
        ((since,),) = owner.execute("SELECT clock_timestamp()").fetchall()
    for tenant in at_work.tenants:
        add_deliveries(at_work.database, tenant, each)
    began = wake(at_work.database, endpoints)
    took_s = 0.0

    def is_done() -> bool:
        nonlocal took_s
        left, took_s = _left(at_work, endpoints, began, since)
        return left == 0

    if not comes_true(is_done, SENT_LIMIT_S, 0.25):
        raise AssertionError("the deliveries were not sent in time")
    return each * len(endpoints) / took_s


def _left(at_work: _Sending, endpoints: Sequence[UUID], began: datetime, since: datetime) -> tuple[int, float]:
    left, last = 0, 0.0
    with psycopg.connect(at_work.database.owner_url) as owner:
        for tenant in at_work.tenants:
            ((of,),) = owner.execute(
                "SELECT tenant FROM webhooks.lanes WHERE endpoint_id = %s", (tenant[0],)
            ).fetchall()
            owner.execute("SELECT set_config('app.current_tenant', %s, true)", (str(of),))
            ((waiting, took_s),) = owner.execute(_LEFT, (began, list(endpoints), since)).fetchall()
            left, last = left + waiting, max(last, took_s or 0.0)
    return left, last


def _awake(at_work: _Sending, *, is_awake: bool) -> None:
    """Have somebody dead be called, as if for the first time; or nobody call there any more."""
    with psycopg.connect(at_work.database.owner_url) as owner:
        owner.execute(
            "UPDATE webhooks.lanes SET is_active = %s, strikes = 0, open_until = NULL,"
            " wake_at = CASE WHEN %s THEN now() END WHERE endpoint_id = ANY (%s)",
            (is_awake, is_awake, list(at_work.dead)),
        )


def _attempts_of(at_work: _Sending) -> int:
    """How often somebody dead was called: were it never, nothing would have been measured."""
    with psycopg.connect(at_work.database.owner_url) as owner:
        ((of,),) = owner.execute(
            "SELECT tenant FROM webhooks.lanes WHERE endpoint_id = ANY (%s)", (list(at_work.dead),)
        ).fetchall()
        owner.execute("SELECT set_config('app.current_tenant', %s, true)", (str(of),))
        ((count,),) = owner.execute(
            "SELECT sum(attempts) FROM webhooks.deliveries WHERE endpoint_id = ANY (%s)", (list(at_work.dead),)
        ).fetchall()
    return int(count or 0)


def _bare(stage: Stage, url: str, posts: int) -> Outcome:
    stage.say(f"limit: {posts:,} posts by a bare httpx loop")
    return load.client("posting", Plan(url, WEBHOOKS, posts, len(body())), Outcome, SENT_LIMIT_S)
