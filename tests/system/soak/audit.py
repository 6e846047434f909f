"""The audit: what clients were told, what the books say, what the gateway recorded, and what is left over."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.system.soak import availability, sold
from tests.system.soak.answers import contradictions, other_bodies
from tests.system.soak.books import OUTBOXES, Books, Check, verified
from tests.system.soak.faults import Fault
from tests.system.soak.fleet import Fleet
from tests.system.soak.listener import Listener, waiting
from tests.system.soak.load import Load, Wallet
from tests.system.soak.records import Order
from tests.system.soak.report import Report
from tests.system.soak.servers import Servers
from tests.system.soak.town import Town

REPLAYS: Final = 1_000
ASKERS: Final = 16
FEWEST_BETWEEN: Final = 50
LEFT_LIMIT_S: Final = 5.0
"""In which messages that come twice are heard once more."""
BUGS: Final = ("unexpected_error", "worker_died")


async def quiet(fleet: Fleet, servers: Servers, listener: Listener) -> bool:
    """Whether nothing is pending, unpublished or unheard, and nothing is held but for orders.

    A hold that nobody closes has an end, which may be still to come: until then its money is nowhere to be seen by
    whoever looks at balances.
    """
    if not await asyncio.to_thread(fleet.quiet) or not await asyncio.to_thread(sold.at_rest, servers):
        return False
    ((events, counted, wanted),) = await asyncio.to_thread(
        fleet.query,
        f"SELECT (SELECT count(*) FROM ({OUTBOXES}) o),"
        " (SELECT count(*) FROM metrics.inbox),"
        " (SELECT count(*) FROM outbox_events WHERE starts_with(type, 'payment.'))",
    )
    return bool(len(listener.ids) >= events and counted >= wanted)


class Audit:
    """What is found once a run has settled."""

    def __init__(
        self,
        fleet: Fleet,
        servers: Servers,
        load: Load,
        listener: Listener,
        wallets: Sequence[Wallet],
        faults: Sequence[Fault],
        town: Town,
    ) -> None:
        self._fleet = fleet
        self._servers = servers
        self._load = load
        self._listener = listener
        self._wallets = wallets
        self._faults = faults
        self._town = town
        self._broken: dict[str, list[str]] = {}
        self._checks: list[str] = []

    async def report(self, seed: int, duration_s: float) -> Report:
        """Look at everything."""
        history = self._load.history
        balances = [await self._load.balance(wallet, 0) for wallet in self._wallets]
        await self._replay([order for order in history.orders if order.final])
        await self._town.replay()
        books = await asyncio.to_thread(Books, self._fleet)
        pace = self._fleet.patience
        back_within_s, share_unanswered = pace(availability.BACK_WITHIN_S), pace(availability.SHARE_UNANSWERED)
        found = availability.measure(self._faults, history.calls, back_within_s, share_unanswered)
        left = await self._left_over()
        for check in self._all_checks(books, balances, found, left):
            await asyncio.to_thread(self._run_check, *check)
        report = Report(seed, duration_s, broken=self._broken, checks=self._checks)
        report.counts = self._counts(books, found)
        report.faults = [self._told(fault) for fault in self._faults]
        report.void = [f"{fault.name} hit nothing" for fault in self._faults if fault.hit == 0]
        if found.calls_between < FEWEST_BETWEEN:
            report.void.append(f"only {found.calls_between} calls were between faults")
        report.void += [*self._town.market.missed(), *self._town.refunders.missed()]
        return report

    def _all_checks(
        self, books: Books, balances: Sequence[int | None], found: availability.Availability, left: list[str]
    ) -> Iterator[Check]:
        history = self._load.history
        yield "answers are documented, and contradict neither each other nor time", lambda: contradictions(history)
        yield "another request under a used key is refused", lambda: other_bodies(history.calls)
        yield "each key has one payment, as it was answered; refusals left no trace", lambda: books.keys(history.orders)
        yield (
            "money is conserved in every wallet",
            lambda: books.money(self._wallets, balances, self._town.effects()),
        )
        yield from self._town.checks(books, self._listener, self._faults)
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
        """What nobody has seen to, though there was time for it."""
        loop = asyncio.get_running_loop()
        deadline, left = loop.time() + self._fleet.patience(LEFT_LIMIT_S), ["everything"]
        while left and loop.time() < deadline:
            is_quiet = await quiet(self._fleet, self._servers, self._listener)
            left = [] if is_quiet else [await asyncio.to_thread(self._whats_left)]
            counts = await waiting(self._servers.rabbitmq.url)
            left += [f"{count} messages in {name}" for name, count in counts.items() if count]
            await asyncio.sleep(0.2 if left else 0)
        return left

    def _whats_left(self) -> str:
        statement = (
            f"WITH every AS ({OUTBOXES})"
            " SELECT (SELECT count(*) FROM payments WHERE status = 'PENDING'),"
            " (SELECT count(*) FROM every WHERE sent_at IS NULL), (SELECT count(*) FROM every),"
            " (SELECT count(*) FROM audit.events), (SELECT count(*) FROM metrics.inbox),"
            " (SELECT count(*) FROM holds WHERE status = 'OPEN'),"
            " (SELECT count(*) FROM payments.refunds WHERE status = 'PENDING')"
        )
        ((pending, unsent, events, audited, counted, held, promised),) = self._fleet.query(statement)
        heard = len(self._listener.ids)
        sent = f"{unsent} of {events} events unsent, {heard} heard"
        ((market,),) = self._servers.query(sold.LEFT)
        half_done = (
            f"{pending} payments and {promised} refunds pending, {held} holds open, {market} of the market's half done"
        )
        return f"{half_done}, {sent}, {audited} audited, {counted} counted"

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
            **self._town.counts(),
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
