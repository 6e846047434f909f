"""The run: build the house, load it, trouble it, heal it, audit it."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.soak import availability
from tests.soak.answers import contradictions, other_bodies
from tests.soak.books import Books, Check, verified
from tests.soak.faults import Fault, Trouble, plan
from tests.soak.fleet import RECOVER_AFTER_S, Fleet, Servers
from tests.soak.listener import Listener, waiting
from tests.soak.load import Load, wallets
from tests.soak.records import Order
from tests.soak.report import Progress, Report

SETTLED_WITHIN_S: Final = RECOVER_AFTER_S + 10.0
CALM_S: Final = 3.0
CALM_LIMIT_S: Final = 12.0
REPLAYS: Final = 1_000
ASKERS: Final = 16
FEWEST_BETWEEN: Final = 50
BUGS: Final = ("unexpected_error", "worker_died")


@dataclass(frozen=True, slots=True)
class Options:
    """A run's length in seconds, its seed, and the most faults that it may have."""

    duration_s: float
    seed: int
    faults: int | None = None
    logs: Path | None = None
    """Where the processes' logs go when something is broken."""


class Soak:
    """One run over a house that stands."""

    def __init__(self, options: Options, fleet: Fleet, servers: Servers, progress: Progress) -> None:
        self._options = options
        self._fleet = fleet
        self._servers = servers
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._wallets = wallets(options.seed)
        self._faults = plan(options.seed, options.duration_s, options.faults)
        self._listener = Listener(servers.rabbitmq.url)
        self._load = Load(fleet.apis, fleet.provider_id, self._wallets, options.seed)
        self._broken: dict[str, list[str]] = {}
        self._checks: list[str] = []

    async def run(self) -> Report:
        """Load, trouble, heal, audit."""
        listening = asyncio.create_task(self._listener.run())
        watching: asyncio.Task[None] | None = None
        try:
            self._progress.say("servers are up, processes start")
            await asyncio.wait_for(self._listener.bound.wait(), 30)
            await self._fleet.begin()
            await self._fleet.fund(self._wallets)
            watching = asyncio.create_task(self._watch())
            self._progress.say(f"ready: {len(self._wallets)} wallets, {len(self._faults)} faults planned")
            await self._trouble()
            settled_by = self._loop.time() + SETTLED_WITHIN_S
            await self._resolve(settled_by)
            await self._settle(settled_by)
            return await self._audit()
        finally:
            for task in filter(None, (watching, listening)):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self._load.close()

    async def _watch(self) -> None:
        while True:
            self._fleet.look_for_deaths()
            calls = self._load.history.calls
            lately = Counter(call.meaning for call in calls[-300:])
            told = ", ".join(f"{meaning} {count}" for meaning, count in lately.most_common())
            self._progress.state(f"{len(calls)} calls, {len(self._listener.ids)} events; lately {told or 'nothing'}")
            await asyncio.sleep(0.5)

    async def _trouble(self) -> None:
        """Clients and faults side by side; then, with everything healed, the clients for a little longer."""
        stop = asyncio.Event()
        working = asyncio.create_task(self._load.run(stop))
        trouble = Trouble(self._fleet, self._servers, self._load, self._options.seed, self._progress.say)
        try:
            async with asyncio.timeout(self._options.duration_s + 60):
                _, _ = await asyncio.gather(trouble.run(self._faults), asyncio.sleep(self._options.duration_s))
            await self._calm()
        finally:
            stop.set()
            await working

    async def _calm(self) -> None:
        healed, began = self._loop.time(), len(self._load.history.calls)
        while self._loop.time() - healed < CALM_LIMIT_S:
            await asyncio.sleep(0.2)
            served = {
                call.api for call in self._load.history.calls[began:] if call.status == 201 and call.began >= healed
            }
            if len(served) == len(self._fleet.apis) and self._loop.time() - healed > CALM_S:
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
        """Wait until nothing is pending, unpublished or unheard, for as long as recovery is given."""
        while not await self._quiet() and self._loop.time() < deadline:  # noqa: ASYNC110 -- other processes' doing
            await asyncio.sleep(0.1)

    async def _quiet(self) -> bool:
        if not await asyncio.to_thread(self._fleet.quiet):
            return False
        ((events, counted, wanted),) = await asyncio.to_thread(
            self._fleet.query,
            "SELECT (SELECT count(*) FROM outbox_events), (SELECT count(*) FROM metrics.inbox),"
            " (SELECT count(*) FROM outbox_events WHERE starts_with(type, 'payment.'))",
        )
        return bool(len(self._listener.ids) >= events and counted >= wanted)

    async def _audit(self) -> Report:
        history, seed = self._load.history, self._options.seed
        self._progress.say("audit")
        balances = [await self._load.balance(wallet, 0) for wallet in self._wallets]
        await self._replay([order for order in history.orders if order.final])
        books = await asyncio.to_thread(Books, self._fleet)
        found = availability.measure(self._faults, history.calls)
        left = await self._left_over()
        for check in self._all_checks(books, balances, found, left):
            await asyncio.to_thread(self._run_check, *check)
        report = Report(seed, self._options.duration_s, broken=self._broken, checks=self._checks)
        report.counts = self._counts(books, found)
        report.faults = [self._told(fault) for fault in self._faults]
        report.void = [f"{fault.name} hit nothing" for fault in self._faults if fault.hit == 0]
        if found.calls_between < FEWEST_BETWEEN:
            report.void.append(f"only {found.calls_between} calls were between faults")
        return report

    def _all_checks(
        self, books: Books, balances: Sequence[int | None], found: availability.Availability, left: list[str]
    ) -> Iterator[Check]:
        history = self._load.history
        yield "answers are documented, and contradict neither each other nor time", lambda: contradictions(history)
        yield "another request under a used key is refused", lambda: other_bodies(history.calls)
        yield "each key has one payment, as it was answered; refusals left no trace", lambda: books.keys(history.orders)
        yield "money is conserved in every wallet", lambda: books.money(self._wallets, balances)
        yield "the gateway's record agrees with the books", books.charges
        yield "published is what was committed, first in order, and audited once", lambda: books.events(self._listener)
        yield "the metrics count every payment once", books.totals
        yield "nothing is pending, unpublished, queued or dead-lettered", lambda: iter(left)
        yield "the service is back in time, and answers between faults", lambda: iter(found.complaints)
        yield "strongbox verify holds", lambda: verified(self._fleet)
        yield "no process ended by itself, and none logged a bug", self._bugs

    def _run_check(self, name: str, offenders: Callable[[], Iterator[str]]) -> None:
        self._checks.append(name)
        if found := list(offenders()):
            self._broken[name] = found

    async def _replay(self, orders: Sequence[Order]) -> None:
        """A sample of the final answers, the newest and the oldest, asked for once more; the record tells the rest."""
        half = REPLAYS // 2
        sample = [*orders[:half], *orders[half:][-half:]]
        slots = asyncio.Semaphore(ASKERS)

        async def again(order: Order) -> None:
            async with slots:
                await self._load.call("retry", len(order.calls) % 2, order)

        await asyncio.gather(*(again(order) for order in sample))

    async def _left_over(self) -> list[str]:
        left = [] if await self._quiet() else [await asyncio.to_thread(self._whats_left)]
        counts = await waiting(self._servers.rabbitmq.url)
        return left + [f"{count} messages in {name}" for name, count in counts.items() if count]

    def _whats_left(self) -> str:
        statement = (
            "SELECT (SELECT count(*) FROM payments WHERE status = 'PENDING'),"
            " (SELECT count(*) FROM outbox_events WHERE sent_at IS NULL), (SELECT count(*) FROM outbox_events),"
            " (SELECT count(*) FROM audit.events), (SELECT count(*) FROM metrics.inbox)"
        )
        ((pending, unsent, events, audited, counted),) = self._fleet.query(statement)
        heard = len(self._listener.ids)
        sent = f"{unsent} of {events} events unsent, {heard} heard"
        return f"{pending} payments pending, {sent}, {audited} audited, {counted} counted"

    def _bugs(self) -> Iterator[str]:
        yield from self._fleet.deaths
        for name in self._fleet.processes:
            lines = self._fleet.log(name).splitlines()
            bugs = [line for line in lines if line.startswith("Traceback") or any(bug in line for bug in BUGS)]
            if bugs:
                yield f"{name} logged {len(bugs)} times: {bugs[0][:300]}"

    def _counts(self, books: Books, found: availability.Availability) -> dict[str, object]:
        history = self._load.history
        return {
            "calls": dict(Counter(call.kind for call in history.calls)),
            "answers": dict(history.outcomes()),
            "keys": len(history.orders),
            "payments": dict(Counter(payment[-1] for payment in books.payments)),
            "replays": sum(call.replayed for call in history.calls),
            "unknowns resolved": history.resolved,
            "events": f"{len(self._listener.ids)} in {self._listener.deliveries} deliveries",
            "faults": dict(Counter(" ".join((f.kind, *f.targets[:1])) for f in self._faults)),
            "answered between faults": f"{found.share:.2%} of {found.calls_between} calls",
            "not answered between faults": dict(found.unanswered),
            "longest way back": f"{max((fault.back_s for fault in self._faults), default=0):.1f} s",
        }

    def _told(self, fault: Fault) -> dict[str, object]:
        return {
            "name": fault.name,
            "at_s": fault.at_s,
            "lasted_s": fault.healed - fault.struck,
            "hit": fault.hit,
            "back_s": fault.back_s,
        }


@asynccontextmanager
async def _house(folder: Path) -> AsyncIterator[tuple[Fleet, Servers]]:
    servers = Servers(folder)
    fleet: Fleet | None = None
    try:
        urls = await asyncio.to_thread(servers.start)
        fleet = Fleet(urls, servers.rabbitmq.url, folder)
        yield fleet, servers
    finally:
        if fleet is not None:
            fleet.end()
        servers.stop()


async def soak(options: Options, progress: Progress) -> Report:
    """Run it, in a folder that goes with it. Whatever was started has ended when this returns, or raises."""
    folder = Path(tempfile.mkdtemp(prefix="strongbox-soak-"))
    progress.say("PostgreSQL and RabbitMQ start")
    try:
        async with _house(folder) as (fleet, servers):
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
