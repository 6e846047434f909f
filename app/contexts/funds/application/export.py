"""Export the ledger, a file a day: what is there is whole, and the same whenever it is made."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from app.contexts.funds.domain.refusals import DayNotOver
from app.kernel.errors import Unavailable
from app.platform.process.waiting import pause

A_DAY: Final = timedelta(days=1)
PATIENCE_S: Final = 30.0
"""How long older transactions are waited for: those of the service last seconds."""
LOOK_EVERY_S: Final = 0.2


class StillOpen(Unavailable):
    """Transactions from before the end of a day are open, prepared ones perhaps: they may add to it."""


class LedgerLine(NamedTuple):
    """An entry, with its transaction. Amounts in minor units. What two users wrote to each other is not in it."""

    created_at: datetime
    transaction_id: UUID
    user_id: UUID
    kind: str
    account: str
    currency: str
    amount: int
    balance_after: int | None
    wallet_version: int | None
    counterparty: UUID | None
    payment_id: UUID | None
    hold_id: UUID | None
    business_id: UUID | None


@dataclass(slots=True)
class Tally:
    """What a day comes to: entries, transactions of a user, and sums by currency and account, in minor units."""

    entries: int = 0
    transactions: int = 0
    sums: dict[str, Counter[str]] = field(default_factory=dict)
    _last: tuple[UUID, UUID] | None = None

    def add(self, line: LedgerLine) -> None:
        """Count an entry. Those of a transaction come one after the other."""
        self.entries += 1
        self.sums.setdefault(line.currency, Counter())[line.account] += line.amount
        if (line.transaction_id, line.user_id) != self._last:
            self._last = line.transaction_id, line.user_id
            self.transactions += 1


@dataclass(frozen=True, slots=True)
class DayDone:
    """A day as the manifest has it."""

    day: date
    file: str
    entries: int
    transactions: int
    sums: Mapping[str, Mapping[str, int]]
    bytes: int
    sha256: str


class Ledger(Protocol):
    """The ledger by day."""

    async def older_than(self, end: datetime) -> Sequence[str] | None:
        """The transactions that are open and may add something before that time, in words; None if it is to come.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...

    def entries(self, day: date) -> AsyncIterator[LedgerLine]:
        """The entries of a day, of one snapshot, in an order that is always the same.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...


class NewFile(Protocol):
    """A day's file that is being written."""

    def add(self, line: LedgerLine) -> None:
        """Write an entry."""
        ...

    def finish(self, tally: Tally) -> DayDone:
        """See that it is there for good, whole, and in the manifest."""
        ...


class Folder(Protocol):
    """Where the files are, with their manifest."""

    @property
    def days(self) -> Mapping[date, DayDone]:
        """The days that are there."""
        ...

    def begin(self, day: date) -> AbstractContextManager[NewFile]:
        """Begin a day's file. Leaving it unfinished leaves nothing of it."""
        ...


class Export:
    """Exports days, each once it can no longer change. Where it was killed it goes on."""

    def __init__(self, ledger: Ledger, folder: Folder, patience_s: float = PATIENCE_S) -> None:
        self._ledger = ledger
        self._folder = folder
        self._patience_s = patience_s

    async def run(
        self, since: date, until: date, end_of: Callable[[date], datetime], stop: asyncio.Event
    ) -> AsyncIterator[DayDone]:
        """Export the days from `since` on, before `until`, that are not there; each as it is done, until `stop`.

        Raises:
            DayNotOver: the last of them is not.
            StillOpen, Unavailable: a day cannot be closed now; those before it are done.
        """
        for day in days_of(since, until):
            if day in self._folder.days:
                continue
            await self._close(day, end_of(day), stop)
            done = await self._write(day, stop)
            if done is None:
                return
            yield done

    async def _close(self, day: date, end: datetime, stop: asyncio.Event) -> None:
        """Wait until nothing can be added to the day any more, or it is to stop."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience_s
        while (open_ := await self._ledger.older_than(end)) and not stop.is_set():
            if loop.time() > give_up:
                raise StillOpen(f"{day} may still change: {'; '.join(open_)}")
            await pause(LOOK_EVERY_S, stop)
        if open_ is None:
            raise DayNotOver(day)

    async def _write(self, day: date, stop: asyncio.Event) -> DayDone | None:
        """The day's file, unless it is to stop before it is whole."""
        if stop.is_set():
            return None
        tally = Tally()
        with self._folder.begin(day) as file:
            async for line in self._ledger.entries(day):
                if stop.is_set():
                    return None
                tally.add(line)
                file.add(line)
            return file.finish(tally)


def days_of(since: date, until: date) -> Iterator[date]:
    """The days from `since` on, before `until`."""
    while since < until:
        yield since
        since += A_DAY
