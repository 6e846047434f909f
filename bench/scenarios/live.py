"""How late those who watch an auction are told of a bid, and what they take of the process that they watch in."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import psycopg

from bench import load
from bench.clients.watching import Outcome, Plan
from bench.filling_rows import CURRENCY, user_id
from bench.house import ROOT, BenchHouse
from bench.people import OPEN, sign_in
from bench.results import Measure, measure
from bench.shelf import as_the_tenant, product_id
from bench.stage import Stage

LATE_MS: Final = 300.0
KIB_A_WATCHER: Final = 60.0
BIDS_A_SECOND: Final = 50.0
BIDDERS: Final = 20
EVENT_BYTES: Final = 620
"""About as long as an event of an auction is."""
WEIGHED_EVERY_S: Final = 0.5


def live(stage: Stage) -> Mapping[str, Measure]:
    """Bids at a pace, all in one auction that everybody watches, in the one process of the API."""
    sizes, limits, runs, kib = stage.sizes, list[Outcome](), list[Outcome](), list[float]()
    with (
        stage.servers.with_shop(BIDDERS + 1, 1) as database,
        stage.house(database, **OPEN, AUCTION_STEPS="*=0:1") as house,
    ):
        people = sign_in(house, BIDDERS + 1)
        limits.append(_bare(stage, people))
        auction_id = _opened(house, people)
        port = house.ports["HTTP_PORT"]
        _watched(stage, port, auction_id, people, 1, sizes.warm_up_s)
        with _weighed(house, sizes.watchers, kib):
            for nth in range(1, sizes.repeats + 1):
                stage.say(f"run {nth} of {sizes.repeats}: {sizes.watchers} watchers, {BIDS_A_SECOND:.0f} bids/s")
                found = _watched(stage, port, auction_id, people, sizes.watchers, sizes.run_s)
                stage.say(f"{found.rate:.0f} bids/s counted; answers: {found.statuses}; untold: {found.untold}")
                runs.append(found)
        limits.append(_bare(stage, people))
        house.settle_down()
    failed = sum(one.failed for one in (*limits, *runs))
    return {
        "live": measure(
            [one.p99_ms for one in runs], [LATE_MS], unit="ms (p99)", limit_is="the bound", goal=1.0, at_most=True,
            errors=failed, details=_details(runs) | {"bare_p99_ms": [one.p99_ms for one in limits]},
        ),
        "live-memory": measure(
            kib, [KIB_A_WATCHER], unit="KiB a watcher", limit_is="the bound", goal=1.0, at_most=True, errors=failed
        ),
    }  # fmt: skip


def _details(runs: list[Outcome]) -> dict[str, object]:
    return {
        "p50_ms": [one.p50_ms for one in runs],
        "worst_ms": [one.worst_ms for one in runs],
        "bids_a_second": [one.rate for one in runs],
        "answers": [{str(status): count for status, count in one.statuses.items()} for one in runs],
        "bid_p50_ms": [one.answer_p50_ms for one in runs],
    }


def _watched(stage: Stage, port: int, auction_id: str, people: Path, watchers: int, duration_s: float) -> Outcome:
    stage.servers.checkpoint()
    plan = Plan(port, auction_id, str(people), watchers, BIDS_A_SECOND, load.next_run(), duration_s)
    return load.client("watching", plan, Outcome, duration_s)


def _bare(stage: Stage, people: Path) -> Outcome:
    """The same by a bare loop, which has nothing else to do."""
    stage.say(f"beside it: a bare loop, {stage.sizes.watchers} watchers")
    command = [sys.executable, "-m", "bench.clients.spreading", str(EVENT_BYTES)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as bare:  # noqa: S603 -- our own command
        try:
            assert bare.stdout is not None
            port, watchers = int(bare.stdout.readline()), stage.sizes.watchers
            return _watched(stage, port, "any", people, watchers, stage.sizes.limit_s)
        finally:
            bare.kill()


def _opened(house: BenchHouse, people: Path) -> str:
    """An auction of a piece of the one product, whose seller is the last of the people, and bids nothing."""
    lines = people.read_text(encoding="ascii").splitlines()
    with psycopg.connect(as_the_tenant(house.database).owner_url) as owner:
        seller = user_id(BIDDERS)
        owner.execute("UPDATE identity.users SET role = 'seller' WHERE id = %s", (seller,))
        owner.execute("UPDATE catalog.products SET seller_id = %s WHERE id = %s", (seller, product_id(0)))
    token = next(line.split()[1] for line in lines if line.startswith(str(seller)))
    people.write_text("".join(f"{line}\n" for line in lines if not line.startswith(str(seller))), encoding="ascii")
    terms = {
        "product_id": str(product_id(0)),
        "starting_price": 100,
        "currency": CURRENCY,
        "ends_at": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{house.api_url}/v1/auctions", json=terms, headers=headers, timeout=60)
    return str(answer.raise_for_status().json()["auction_id"])


@contextmanager
def _weighed(house: BenchHouse, watchers: int, found_kib: list[float]) -> Iterator[None]:
    """What the API holds at the most meanwhile, above what it held before, by watcher."""
    before_mib = house.memory_mib("api")["now"]
    held_mib, is_over = [before_mib], threading.Event()

    def look() -> None:
        while not is_over.wait(WEIGHED_EVERY_S):
            held_mib.append(house.memory_mib("api")["now"])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        is_over.set()
        looking.join()
    found_kib.append((max(held_mib) - before_mib) * 1024 / watchers)
