"""Somebody's cashback: what is accrued, being minted, minted and owed, and what moves it.

What is accrued pays a debt first, and the rest is asked to be minted as soon as it is known whereto. So nobody has a
debt and something accrued at once. What is being minted is never recalled: what is taken back of it is owed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.contexts.rewards.domain.entry import Entry, Kind, Line
from app.contexts.rewards.domain.events import Event, EventType
from app.contexts.rewards.domain.ids import EntryId, LineId, PurchaseId, RefundId
from app.contexts.rewards.domain.refusals import Contradiction
from app.contexts.rewards.domain.rule import Gift
from app.contexts.rewards.domain.sale import Sale
from app.contexts.rewards.domain.tokens import MOST
from app.kernel.ids import EventId, UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId

AT_ONCE: Final = 10
"""So many requests of an entry follow each other at once when they fail. After that it waits for the next thing that
happens to its user: something earned, or another address."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands, in base units; `heard` is the newest that is known of the address: its event's place."""

    tenant_id: TenantId
    user_id: UserId
    address: str | None = None
    heard: int = 0
    accrued: int = 0
    minting: int = 0
    minted: int = 0
    debt: int = 0

    @property
    def room(self) -> int:
        """What can be earned beside all that there is."""
        return MOST - self.accrued - self.minting - self.minted


class Account:
    """Somebody's account, while it is being changed. It knows those entries that may change with it.

    `lines`, `events` and `changed` are what was done; `traceparent` is of the request that it is done for.
    """

    def __init__(self, standing: Standing, entries: Iterable[Entry], now: datetime, ids: Ids) -> None:
        self.standing = self._before = standing
        self.lines: list[Line] = []
        self.events: list[Event] = []
        self.changed: dict[EntryId, Entry] = {}
        self.made: set[EntryId] = set()
        self.traceparent: str | None = None
        self._entries = {entry.id: entry for entry in sorted(entries, key=lambda each: (each.created_at, each.id))}
        self._places = {entry_id: place for place, entry_id in enumerate(self._entries)}
        self._open = {entry.id for entry in self._entries.values() if entry.accrued}
        self._now = now
        self._ids = ids

    @property
    def has_changed(self) -> bool:
        """Whether anything is to be written of it."""
        return self.standing != self._before or bool(self.changed)

    def entry(self, entry_id: EntryId) -> Entry | None:
        """One of those that it knows, as it is now."""
        return self._entries.get(entry_id)

    def earn(self, sale: Sale, purchase_id: PurchaseId, gift: Gift) -> Entry:
        """Give what a purchase has earned. The entry as it is then: what pays a debt of it, or is being minted."""
        entry = Entry(
            id=EntryId(self._ids()),
            tenant_id=self.standing.tenant_id,
            user_id=self.standing.user_id,
            purchase_id=purchase_id,
            rule_id=gift.rule_id,
            source=sale.source,
            merchant=sale.merchant,
            reference=sale.reference,
            amount=gift.amount,
            accrued=0,
            created_at=self._now,
        )
        self.made.add(entry.id)
        self._put(entry)
        self._line(entry.id, Kind.EARNED, gift.amount, id=LineId(entry.id))
        self._move(entry.id, accrued=gift.amount)
        self._tell(entry.id, EventType.EARNED, gift.amount)
        self._pay_debts()
        self._request_all()
        return self._entries[entry.id]

    def reverse(self, entry_id: EntryId, refund_id: RefundId, amount: int) -> int:
        """Take back that much of what was earned, or all that was not taken back yet; how much that is."""
        entry = self._entries[entry_id]
        amount = min(amount, entry.amount - entry.reversed)
        if amount == 0:
            return 0
        here = min(amount, entry.accrued)
        self._line(entry_id, Kind.REVERSED, amount, owed=amount - here, refund_id=refund_id)
        self._put(replace(entry, reversed=entry.reversed + amount))
        self._move(entry_id, accrued=-here, debt=amount - here)
        self._tell(entry_id, EventType.REVERSED, amount, refund_id=refund_id)
        self._pay_debts()
        return amount

    def link(self, address: str | None, heard: int) -> None:
        """From here on everything is minted to this address, what is accrued as well. Older news is none."""
        if heard <= self.standing.heard:
            return
        self.standing = replace(self.standing, address=address, heard=heard)
        self._request_all()

    def ask_for(self, address: str) -> None:
        """Have what is accrued be minted to this address, which is the account's once all of it is asked for."""
        for entry in self._accrued():
            self._request(entry, address)

    def minted(self, entry_id: EntryId, request_id: UUID, tx_hash: str) -> None:
        """What was asked for is on the chain. The same again is no news.

        Raises:
            Contradiction: that was never asked for, or has failed.
        """
        entry = self._asked(entry_id, request_id)
        if entry.request_id != request_id:
            raise Contradiction("what is said to be minted has failed")
        if not entry.minting:
            if entry.minted:
                return
            raise Contradiction("what is said to be minted has failed")
        self._line(entry_id, Kind.MINTED, entry.minting, request_id=request_id, tx_hash=tx_hash)
        self._move(entry_id, minting=-entry.minting, minted=entry.minting)

    def failed(self, entry_id: EntryId, request_id: UUID, reason: str) -> None:
        """What was asked for will never be on the chain: it is accrued as before, and asked for anew.

        Raises:
            Contradiction: that was never asked for, or was minted.
        """
        entry = self._asked(entry_id, request_id)
        if entry.minted:
            raise Contradiction("what is said to have failed was minted")
        if entry.request_id != request_id or not entry.minting:
            return  # known
        self._line(entry_id, Kind.MINT_FAILED, entry.minting, request_id=request_id, reason=reason)
        self._move(entry_id, minting=-entry.minting, accrued=entry.minting)
        self._pay_debts()
        if entry.attempt < AT_ONCE:
            self._request(self._entries[entry_id])

    def _asked(self, entry_id: EntryId, request_id: UUID) -> Entry:
        entry = self._entries.get(entry_id)
        if entry is None or not entry.has_asked(request_id):
            raise Contradiction("nobody has asked for that to be minted")
        return entry

    def _pay_debts(self) -> None:
        for entry in self._accrued() if self.standing.debt else ():
            paid = min(self.standing.debt, entry.accrued)
            if paid:
                self._line(entry.id, Kind.OFFSET, paid)
                self._move(entry.id, accrued=-paid, debt=-paid)

    def _request_all(self) -> None:
        for entry in self._accrued() if self.standing.address else ():
            self._request(entry)

    def _accrued(self) -> list[Entry]:
        """Of what is known whatever is accrued of, the oldest first."""
        return [self._entries[entry_id] for entry_id in sorted(self._open, key=self._places.__getitem__)]

    def _request(self, entry: Entry, address: str | None = None) -> None:
        amount, address = entry.accrued, address or self.standing.address
        if not amount or address is None:
            return
        entry = replace(entry, attempt=entry.attempt + 1)
        self._put(entry)
        self._line(entry.id, Kind.MINTING, amount, request_id=entry.request_id)
        self._move(entry.id, accrued=-amount, minting=amount)
        self._tell(entry.id, EventType.MINT_REQUESTED, amount, request_id=entry.request_id, address=address)

    def _move(self, entry_id: EntryId, accrued: int = 0, minting: int = 0, minted: int = 0, debt: int = 0) -> None:
        entry, standing = self._entries[entry_id], self.standing
        self._put(
            replace(
                entry, accrued=entry.accrued + accrued, minting=entry.minting + minting, minted=entry.minted + minted
            )
        )
        self.standing = replace(
            standing,
            accrued=standing.accrued + accrued,
            minting=standing.minting + minting,
            minted=standing.minted + minted,
            debt=standing.debt + debt,
        )

    def _put(self, entry: Entry) -> None:
        self._entries[entry.id] = self.changed[entry.id] = entry
        self._places.setdefault(entry.id, len(self._places))
        (self._open.add if entry.accrued else self._open.discard)(entry.id)

    def _line(self, entry_id: EntryId, kind: Kind, amount: int, *, id: LineId | None = None, **more: Any) -> None:
        # A time of its own: a history is ordered by time.
        at = self._now + timedelta(microseconds=len(self.lines))
        self.lines.append(
            Line(id=id or LineId(self._ids()), entry_id=entry_id, kind=kind, amount=amount, at=at, **more)
        )

    def _tell(self, entry_id: EntryId, type: EventType, amount: int, **more: Any) -> None:
        entry = replace(self._entries[entry_id], told=self._entries[entry_id].told + 1)
        self._put(entry)
        self.events.append(
            Event(
                id=EventId(self._ids()), type=type, sequence=entry.told, entry=entry, amount=amount, at=self._now,
                traceparent=self.traceparent, **more,
            )
        )  # fmt: skip
