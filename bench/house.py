"""Strongbox under load: its processes with their default settings, what they answered, used and hold."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from app.main.contexts import load
from app.main.local.plan import made_here
from app.main.local.probe import answers
from app.main.local.roles import Urls
from app.platform.process.processes import CannotStart, comes_true
from bench.filling_rows import PROVIDER_ID
from bench.machine import cpu_s, memory_mib
from bench.servers import Servers
from tests.system.e2e.house import QUICK, House

ROOT: Final = Path(__file__).parents[1]
LEASH: Final = ROOT / "app/platform/process/leash.py"
READY_LIMIT_S: Final = 300.0
QUIET_LIMIT_S: Final = 300.0
LOOK_EVERY_S: Final = 0.25
VERIFY_LIMIT_S: Final = 3600.0
NEWEST: Final = 10_000
"""How many of the newest events are looked for in the audit log: more than can be under way out of order."""

OUTBOXES: Final = ("payments", "funds", "catalog", "ordering", "auctions", "rewards")
"""Those whose events the audit log has to have."""

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "gateway": ("mock_gateway",),
    "relay": ("app", "relay"),
    "recover": ("app", "recover"),
    "metrics": ("consumers", "metrics"),
    "audit": ("consumers", "audit"),
    "api": ("app", "api"),
}


MINTING: Final[dict[str, tuple[str, ...]]] = {
    "mint": ("consumers", "mint"),
    "chain": ("app", "chain"),
    "node": ("app.contexts.chain.dev_chain",),
}
"""What only minting needs, in the order in which it ends."""


class Broken(Exception):  # noqa: N818 -- it says what the books are
    """The books do not hold after the load; the message has what `strongbox verify` said."""


class BenchHouse(House):
    """The processes over a database. They end with this one, however it ends."""

    def __init__(self, servers: Servers, database: Urls, folder: Path) -> None:
        super().__init__(database, servers.rabbitmq.url, folder)
        for name in QUICK:
            del self.environment[name]
        # Of the default kind: a signature of the tests' takes five times as long to be looked at.
        (keys := folder / "keys").mkdir(exist_ok=True)
        self.environment["JWT_KEYS"] = made_here(load({}), self.ports, keys)["JWT_KEYS"]
        self.provider_id = PROVIDER_ID
        self._servers = servers

    def start(self, name: str, *words: str, expect: Callable[[], bool] | None = None) -> subprocess.Popen[bytes]:
        """Start a process on a leash; see `House.start`."""
        words = words or (WORDS | MINTING)[name]
        command = [sys.executable, str(LEASH), str(os.getpid()), sys.executable, "-m", *words]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own command
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        self.processes[name] = process
        if expect is not None:
            self.wait(expect, f"{name} to be ready")
        return process

    def start_all(self) -> None:
        """Start everything at once, and wait until it serves."""
        for name in WORDS:
            self.start(name)
        for url in (f"{self.gateway_url}/health", f"{self.metrics_url}/healthz", f"{self.api_url}/readyz"):
            self.wait(lambda url=url: answers(url), url)  # type: ignore[misc]
        self.wait(self.leased, "the relay's leases")

    def stop_all(self) -> dict[str, int]:
        """End everything in good order; the exit codes."""
        return super().stop_all() | {name: self.stop(name) for name in MINTING if name in self.processes}

    def wait(
        self, condition: Callable[[], bool], what: str, limit_s: float = READY_LIMIT_S, every_s: float = 0.02
    ) -> None:
        """Wait for a condition, looked at every so often, while all processes live.

        Raises:
            CannotStart: a process ended, or the limit passed.
        """

        def met() -> bool:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise CannotStart(f"{name} ended: {self.log(name)[-2000:]}")
            return condition()

        if not comes_true(met, limit_s, every_s):
            raise CannotStart(f"waited {limit_s:g} s for {what}")

    def leased(self) -> bool:
        """Whether every partition of the outboxes has a relay."""
        return not any(
            self.query(f"SELECT FROM {outbox}.outbox_leases WHERE leased_until IS NULL OR leased_until <= now()")
            for outbox in OUTBOXES
        )

    def quiet(self) -> bool:
        """Whether nothing is pending, unsent, or on its way to the audit log. Quick however much there is."""
        ((pending,),) = self.query(
            "SELECT EXISTS (SELECT FROM payments WHERE status = 'PENDING')"
            " OR EXISTS (SELECT FROM payments.refunds WHERE status = 'PENDING')"
        )
        return not (pending or any(map(self._tells, OUTBOXES)))

    def _tells(self, outbox: str) -> bool:
        ((busy,),) = self.query(
            f"SELECT EXISTS (SELECT FROM {outbox}.outbox_events WHERE sent_at IS NULL)"
            f" OR EXISTS (SELECT FROM (SELECT event_id FROM {outbox}.outbox_events WHERE sent_at IS NOT NULL"
            f"  ORDER BY sent_at DESC LIMIT {NEWEST}) AS newest"
            "  WHERE NOT EXISTS (SELECT FROM audit.events a WHERE a.event_id = newest.event_id))"
        )
        return bool(busy)

    def settle_down(self) -> None:
        """Wait until all that was begun has come to its end."""
        # Each look takes tens of milliseconds of PostgreSQL, and would count among what the load has cost.
        self.wait(self.quiet, "everything to be settled, sent and audited", QUIET_LIMIT_S, LOOK_EVERY_S)

    def check_books(self, *, with_gateway: bool) -> None:
        """Settle down, and see that every invariant holds; the gateway's record too, if it has all charges.

        Raises:
            Broken: one does not.
        """
        self.settle_down()
        environment = self.environment | ({} if with_gateway else {"GATEWAY_URL": ""})
        done = subprocess.run(
            [sys.executable, "-m", "app", "verify"],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=VERIFY_LIMIT_S, check=False,
        )  # fmt: skip
        if done.returncode != 0 or (with_gateway and "was not compared" in done.stdout):
            raise Broken(done.stdout + done.stderr)

    def answers(self, route: str) -> Counter[int]:
        """How often the API has answered requests to the route with which status."""
        return Counter({
            int(sample.labels["status"]): int(sample.value)
            for sample in self._samples("http_requests_total")
            if sample.labels["route"] == route
        })  # fmt: skip

    def cache(self) -> Counter[tuple[str, str]]:
        """How often what was looked for of a kind was, and was not, at each level of the API's cache so far."""
        return Counter({
            (sample.labels["kind"], f"{what}{sample.labels['level']}"): int(sample.value)
            for what in ("hits", "misses")
            for sample in self._samples(f"strongbox_cache_{what}_total")
        })  # fmt: skip

    def _samples(self, name: str) -> list[Sample]:
        """The API's samples of that name."""
        text = httpx.get(f"{self.api_url}/metrics", timeout=60).raise_for_status().text
        families = text_string_to_metric_families(text)
        return [sample for family in families for sample in family.samples if sample.name == name]

    def payments(self) -> int:
        """How many payments there are."""
        ((count,),) = self.query("SELECT count(*) FROM payments")
        return int(count)

    def forget_charges(self) -> None:
        """Empty the gateway's record."""
        httpx.delete(f"{self.gateway_url}/admin/charges", timeout=60).raise_for_status()

    def cpu_s(self) -> dict[str, float]:
        """The processor time that each process, and each server, has used so far, in seconds."""
        pids = {name: [process.pid] for name, process in self.processes.items()}
        assert self._servers.postgres.process is not None
        pids["postgres"] = [self._servers.postgres.process.pid]
        pids["rabbitmq"] = self.broker_pids()
        if self._servers.redis.process is not None:
            pids["redis"] = [self._servers.redis.process.pid]
        return {name: sum(map(cpu_s, roots)) for name, roots in pids.items()}

    def broker_pids(self) -> list[int]:
        """Those of the broker's processes."""
        return [process.pid for process in self._servers.rabbitmq.processes]

    def cpu_us(self, before: Mapping[str, float], count: int) -> dict[str, float]:
        """What each has used of it since then for one of so many, in microseconds; who used most comes first."""
        costs = {name: round((s - before[name]) / max(count, 1) * 1e6, 1) for name, s in self.cpu_s().items()}
        return dict(sorted(costs.items(), key=lambda cost: -cost[1]))

    def memory_mib(self, name: str) -> dict[str, float]:
        """What a process holds, now and at the most so far, in MiB."""
        pid = self.processes[name].pid
        return {"now": round(memory_mib(pid, "VmRSS"), 1), "peak": round(memory_mib(pid, "VmHWM"), 1)}


@contextmanager
def ending(house: BenchHouse) -> Iterator[BenchHouse]:
    """The house, whose processes end with the block: in good order, unless it fails."""
    try:
        yield house
        if set(house.stop_all().values()) - {0}:
            raise Broken("a process did not end well")
    finally:
        for process in house.processes.values():
            process.kill()
            process.wait()
