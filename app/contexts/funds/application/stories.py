"""A transfer's story, and a hold's, each on one time line: ledger, key, events, audit trail, operators' actions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.contexts.funds.application.story_records import (
    BookedHold,
    BookedTransfer,
    KeyRecord,
    Leg,
    OperationRow,
    StoryRecords,
)
from app.contexts.funds.domain.hold import HoldStatus
from app.contexts.funds.domain.ids import HoldId
from app.kernel.errors import Unavailable
from app.kernel.moments import Moment
from app.platform.operations.trail import (
    Told,
    Trail,
    WrittenEvent,
    gaps,
    in_order,
    of_the_outbox,
    of_the_trail,
)

LATE_S: Final = 10.0
"""What recovery has not released so long after its end has its reason told."""


class StoryNotFound(Exception):  # noqa: N818 -- it says what is not there
    """No such transfer, or hold."""


@dataclass(frozen=True, slots=True)
class TransferStory:
    """A transfer, its moments (oldest first), and what could not be looked at."""

    transfer: BookedTransfer
    moments: Sequence[Moment]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class HoldStory:
    """A hold, its moments (oldest first), what will come next, and what could not be looked at."""

    booked: BookedHold
    moments: Sequence[Moment]
    next: str | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TellStories:
    """Tells them. Without the audit trail they are told as far as the books know them, with a note."""

    records: StoryRecords
    trail: Trail

    async def of_transfer(self, transfer_id: UUID) -> TransferStory:
        """The transfer's.

        Raises:
            StoryNotFound: the books have no such transfer.
            Unavailable: the books are out of reach.
        """
        booked = await self.records.transfer(transfer_id)
        if booked is None:
            raise StoryNotFound(f"there is no transfer {transfer_id}")
        # What operators pay in is told to nobody.
        was_told = booked.sender is not None or booked.key is not None or bool(booked.events)
        moments, notes = await self._of_events(booked.id, booked.events, was_told=was_told)
        moments += _of_legs(booked.legs, booked.currency)
        if booked.key is not None:
            moments.append(_of_key(booked.key))
        return TransferStory(booked, in_order(moments), notes)

    async def of_hold(self, hold_id: UUID) -> HoldStory:
        """The hold's.

        Raises:
            StoryNotFound: the books have no such hold.
            Unavailable: the books are out of reach.
        """
        booked = await self.records.hold(hold_id)
        if booked is None:
            raise StoryNotFound(f"there is no hold {hold_id}")
        moments, notes = await self._of_events(booked.hold.id, booked.events, was_told=True)
        moments += [*_of_legs(booked.legs, booked.hold.money.currency), *_of_operations(booked.operations)]
        moments += _of_the_hold(booked)
        if not booked.is_whole:
            notes.append("the ledger's lines are not all shown: its wallet moved too often meanwhile")
        return HoldStory(booked, in_order(moments), _next(booked), notes)

    async def moments_of(self, hold_id: HoldId) -> Sequence[Moment]:
        """See `HoldStories.moments_of`."""
        try:
            return (await self.of_hold(hold_id)).moments
        except StoryNotFound:
            return ()

    async def _of_events(
        self, subject: UUID, events: Sequence[WrittenEvent], was_told: bool
    ) -> tuple[list[Moment], list[str]]:
        told, notes = Told((), ()), []
        try:
            told = await self.trail.told(subject, [event.event_id for event in events])
        except Unavailable as error:
            notes.append(f"the audit trail is not shown: {error}")
        if was_told:
            notes += gaps(events, told, looked=not notes)
        return [*of_the_outbox(events), *of_the_trail(told)], notes


def _of_legs(legs: Iterable[Leg], currency: str) -> list[Moment]:
    moments = []
    for leg in legs:
        after = "" if leg.balance_after_minor is None else f", balance {leg.balance_after_minor}"
        what = f"{leg.kind} {leg.amount_minor:+d} {currency} on {leg.account}{after}"
        moments.append(Moment(leg.created_at, "ledger", what, {"user_id": str(leg.user_id)}))
    return moments


def _of_key(key: KeyRecord) -> Moment:
    details = {"key_digest": key.key_digest, "asked_by": str(key.principal)}
    return Moment(key.finalized_at, "key", f"the answer is stored under its key: {key.response_status}", details)


def _of_operations(operations: Iterable[OperationRow]) -> list[Moment]:
    moments = []
    for operation in operations:
        what = "is forbidden for good" if operation.outcome is None else "is answered"
        moments.append(
            Moment(operation.created_at, "key", f"operation {operation.name} {what}", {"answer": operation.outcome})
        )
    return moments


def _of_the_hold(booked: BookedHold) -> list[Moment]:
    hold = booked.hold
    business = {"context": hold.context, "business_id": str(hold.business_id)}
    moments = [Moment(hold.created_at, "hold", "placed: the money is set aside", business)]
    if hold.closed_at is not None:
        over = ", its time was over" if hold.status is HoldStatus.RELEASED and hold.is_over(hold.closed_at) else ""
        what = f"{hold.status}: {hold.captured_minor} captured, {hold.released_minor} released{over}"
        moments.append(Moment(hold.closed_at, "hold", what, {}))
    return moments


def _next(booked: BookedHold) -> str | None:
    hold = booked.hold
    if hold.status is not HoldStatus.OPEN:
        return None
    if hold.expires_at is None:
        return f"{hold.context} captures or releases it: it has no end of its own"
    late_s = _seconds(hold.expires_at, booked.now)
    if late_s <= 0:
        return f"{hold.context} captures or releases it before {hold.expires_at.isoformat()}; then recovery releases it"
    why = ": does `strongbox recover` run?" if late_s > LATE_S else ""
    return f"recovery releases it (due for {late_s:.0f} s{why})"


def _seconds(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds()
