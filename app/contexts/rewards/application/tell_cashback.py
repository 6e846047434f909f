"""Somebody's cashback for operators: where it is, its lines, and the story of what was earned at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.contexts.rewards.application.ports import LedgerLine, Place
from app.contexts.rewards.domain.account import AT_ONCE, Standing
from app.contexts.rewards.domain.entry import Entry, Kind, Line
from app.contexts.rewards.domain.ids import EntryId
from app.contexts.rewards.domain.sale import Purchase
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.moments import Moment
from app.kernel.principal import TenantId
from app.platform.operations.trail import Told, Trail, WrittenEvent, gaps, in_order, of_the_outbox, of_the_trail


class AccountUnknown(Exception):  # noqa: N818 -- it says what is not there
    """The tenant's user has no account of cashback, or no such entry in it."""


@dataclass(frozen=True, slots=True)
class BookedAccount:
    """Where somebody stands, and some of their lines, newest first."""

    standing: Standing
    lines: Sequence[LedgerLine]


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry with what is about it: whose it is, what earned it, its lines (oldest first), its events."""

    standing: Standing
    entry: Entry
    purchase: Purchase
    lines: Sequence[Line]
    events: Sequence[WrittenEvent]


class StoryRecords(Protocol):
    """Looks into the database, in one snapshot. Raises `Unavailable` while it is out of reach."""

    async def account(
        self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int
    ) -> BookedAccount | None:
        """Where somebody stands, and up to so many of their lines."""
        ...

    async def entry(self, tenant_id: TenantId, user_id: UserId, entry_id: EntryId) -> BookedEntry | None:
        """All of an entry's rows."""
        ...


@dataclass(frozen=True, slots=True)
class EntryStory:
    """An entry, its moments (oldest first), what will come next, and what could not be looked at."""

    entry: Entry
    purchase: Purchase
    moments: Sequence[Moment]
    next: str | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TellCashback:
    """Tells it. What of it the audit trail cannot tell now is left out, with a note."""

    records: StoryRecords
    trail: Trail

    async def of_user(self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int) -> BookedAccount:
        """Where somebody stands, with up to `limit` lines.

        Raises:
            AccountUnknown: there is nothing of theirs.
            Unavailable: the ledger is out of reach.
        """
        booked = await self.records.account(tenant_id, user_id, before, limit)
        if booked is None:
            raise AccountUnknown(f"user {user_id} has no cashback")
        return booked

    async def of_entry(self, tenant_id: TenantId, user_id: UserId, entry_id: EntryId) -> EntryStory:
        """What became of what was earned at once.

        Raises:
            AccountUnknown: nothing of theirs has that id.
            Unavailable: the ledger is out of reach.
        """
        booked = await self.records.entry(tenant_id, user_id, entry_id)
        if booked is None:
            raise AccountUnknown(f"user {user_id} has earned nothing with the id {entry_id}")
        notes, told, looked = list[str](), Told((), ()), True
        try:
            told = await self.trail.told(entry_id, [event.event_id for event in booked.events])
        except Unavailable as error:
            notes.append(f"the audit trail is not shown: {error}")
            looked = False
        notes += gaps(booked.events, told, looked)
        moments = [*_of_the_purchase(booked.purchase), *map(_of_a_line, booked.lines)]
        moments += [*of_the_outbox(booked.events), *of_the_trail(told)]
        return EntryStory(booked.entry, booked.purchase, in_order(moments), _next(booked), notes)


def _of_the_purchase(purchase: Purchase) -> Iterator[Moment]:
    sale = purchase.sale
    details = {"purchase_id": str(purchase.id), "merchant": sale.merchant, "reference": sale.reference}
    what = f"{sale.source} of {sale.money.amount_minor} {sale.money.currency} (minor units) recorded"
    yield Moment(purchase.created_at, "purchase", what, details)


def _of_a_line(line: Line) -> Moment:
    facts = {
        "line_id": line.id, "refund_id": line.refund_id, "request_id": line.request_id, "tx_hash": line.tx_hash,
        "reason": line.reason,
    }  # fmt: skip
    details = {name: str(value) for name, value in facts.items() if value is not None}
    owed = f", {line.owed} of it owed" if line.owed else ""
    return Moment(line.at, "ledger", f"{line.kind} {line.amount}{owed}", details)


def _next(booked: BookedEntry) -> str | None:
    entry = booked.entry
    if entry.status is Kind.MINTING:
        return f"{entry.minting} are minted, or honestly not (attempt {entry.attempt}): the mint's consumer tells which"
    if not entry.accrued:
        return None
    if booked.standing.address is None:
        return "it is minted once its user links an address"
    if entry.attempt >= AT_ONCE:
        return f"{entry.attempt} attempts failed; it is asked for again once its user earns more or links an address"
    return "it is asked for"
