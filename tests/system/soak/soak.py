"""The run: build the house, load it, trouble it, heal it, audit it."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.system.soak.audit import ASKERS, FEWEST_BETWEEN, Audit, quiet
from tests.system.soak.faults import Trouble, plan, plan_of_redis
from tests.system.soak.fleet import RECOVER_AFTER_S, Fleet
from tests.system.soak.listener import Listener
from tests.system.soak.load import Load, wallets
from tests.system.soak.records import Order
from tests.system.soak.report import Progress, Report
from tests.system.soak.servers import Servers
from tests.system.soak.town import Town

BOUND_LIMIT_S: Final = 120.0
# On a machine that starts its processes in time; see `Fleet.patience`.
SETTLED_WITHIN_S: Final = RECOVER_AFTER_S + 10.0
TROUBLE_LIMIT_S: Final = 60.0
CALM_S: Final = 3.0
CALM_LIMIT_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Options:
    """A run's length in seconds, its seed, and the most faults that it may have."""

    duration_s: float
    seed: int
    faults: int | None = None
    logs: Path | None = None
    """Where the processes' logs go when something is broken."""
    slower: float = 1.0
    """How many times as long as on a machine of its own anything may take at least."""


class Soak:
    """One run over a house that stands."""

    def __init__(self, options: Options, fleet: Fleet, servers: Servers, progress: Progress) -> None:
        self._options = options
        self._fleet = fleet
        self._servers = servers
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._wallets = wallets(options.seed)
        others = plan(options.seed, options.duration_s, options.faults)
        self._faults = sorted([*others, *plan_of_redis(options.seed, others)], key=lambda fault: fault.at_s)
        self._listener = Listener(servers.rabbitmq.url)
        self._load = Load(fleet.apis, fleet.provider_id, self._wallets, options.seed)
        self._town: Town | None = None

    async def run(self) -> Report:
        """Load, trouble, heal, audit."""
        listening = asyncio.create_task(self._listener.run())
        watching: asyncio.Task[None] | None = None
        try:
            self._progress.say("servers are up, processes start")
            await asyncio.wait_for(self._listener.bound.wait(), BOUND_LIMIT_S)
            await self._fleet.begin()
            await self._fleet.fund(self._wallets)
            watching = asyncio.create_task(self._watch())
            self._progress.say(f"ready: {len(self._wallets)} wallets, {len(self._faults)} faults planned")
            self._town = await Town.open(
                self._fleet, self._servers, self._wallets, self._load.history, self._options.seed
            )
            await self._trouble(self._town)
            settled_by = self._loop.time() + self._fleet.patience(SETTLED_WITHIN_S)
            await self._resolve(settled_by)
            await self._settle(settled_by)
            self._progress.say("audit")
            audit = Audit(
                self._fleet, self._servers, self._load, self._listener, self._wallets, self._faults, self._town
            )
            return await audit.report(self._options.seed, self._options.duration_s)
        finally:
            for task in filter(None, (watching, listening)):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self._load.close()
            if self._town is not None:
                await self._town.close()

    async def _watch(self) -> None:
        while True:
            self._fleet.look_for_deaths()
            calls = self._load.history.calls
            lately = Counter(call.meaning for call in calls[-300:])
            told = ", ".join(f"{meaning} {count}" for meaning, count in lately.most_common())
            self._progress.state(f"{len(calls)} calls, {len(self._listener.ids)} events; lately {told or 'nothing'}")
            await asyncio.sleep(0.5)

    async def _trouble(self, town: Town) -> None:
        """Clients and faults side by side; then, with everything healed, the clients for a little longer."""
        stop = asyncio.Event()
        working = asyncio.gather(self._load.run(stop), town.run(stop))
        trouble = Trouble(self._fleet, self._servers, self._load, self._options.seed, self._progress.say)
        try:
            async with asyncio.timeout(self._options.duration_s + self._fleet.patience(TROUBLE_LIMIT_S)):
                _, _ = await asyncio.gather(trouble.run(self._faults), asyncio.sleep(self._options.duration_s))
            await self._calm()
        finally:
            stop.set()
            await working

    async def _calm(self) -> None:
        calls, healed = self._load.history.calls, self._loop.time()
        began, back_at = len(calls), None
        while self._loop.time() - healed < self._fleet.patience(CALM_LIMIT_S):
            await asyncio.sleep(0.2)
            served = {call.api for call in calls[began:] if call.status == 201 and call.began >= healed}
            if back_at is None and len(served) == len(self._fleet.apis):
                back_at = len(calls)
            # However few calls a busy machine comes to: there are enough to be judged between faults.
            is_judged = back_at is not None and len(calls) - back_at > 2 * FEWEST_BETWEEN
            if is_judged and self._loop.time() - healed > CALM_S:
                return

    async def _resolve(self, deadline: float) -> None:
        """Ask again, with the same key, for what is not known yet."""
        history = self._load.history
        open_orders = [order for order in history.orders if order.may_exist and order.final is None]
        self._progress.say(f"{len(open_orders)} payments whose outcome their clients do not know")
        slots = asyncio.Semaphore(ASKERS)

        async def ask(order: Order) -> None:
            while order.final is None and self._loop.time() < deadline:
                async with slots:
                    await self._load.call("retry", len(order.calls) % 2, order)
                await asyncio.sleep(0 if order.final else 0.5)

        await asyncio.gather(*(ask(order) for order in open_orders))
        history.resolved = sum(order.final is not None for order in open_orders)

    async def _settle(self, deadline: float) -> None:
        """Wait until nothing is pending, held, unpublished or unheard, for as long as recovery is given."""
        while not await quiet(self._fleet, self._servers, self._listener) and self._loop.time() < deadline:  # noqa: ASYNC110 -- other processes' doing
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _house(folder: Path, slower: float) -> AsyncIterator[tuple[Fleet, Servers]]:
    servers = Servers(folder)
    fleet: Fleet | None = None
    try:
        urls = await asyncio.to_thread(servers.start)
        fleet = Fleet(urls, servers.rabbitmq.url, servers.redis.url, folder, slower)
        yield fleet, servers
    finally:
        if fleet is not None:
            fleet.end()
        servers.stop()


async def soak(options: Options, progress: Progress) -> Report:
    """Run it, in a folder that goes with it. Whatever was started has ended when this returns, or raises."""
    folder = Path(tempfile.mkdtemp(prefix="strongbox-soak-"))
    progress.say("PostgreSQL, RabbitMQ and Redis start")
    try:
        async with _house(folder, options.slower) as (fleet, servers):
            report = await Soak(options, fleet, servers, progress).run()
        if fleet.deaths and report.checks[-1] not in report.broken:
            report.broken[report.checks[-1]] = fleet.deaths
        if report.broken and options.logs is not None:
            options.logs.mkdir(parents=True, exist_ok=True)
            for log in (*folder.glob("*.log"), *folder.glob("*/server.log")):
                shutil.copy(log, options.logs / f"{log.parent.name if log.name == 'server.log' else ''}{log.name}")
        return report
    finally:
        shutil.rmtree(folder, ignore_errors=True)
