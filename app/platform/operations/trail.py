"""What became of a subject's events, to be told on a time line: the outbox, the audit trail, operators' actions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.kernel.moments import Moment
from app.platform.operations.actions import RecordedAction


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """A row of an outbox."""

    event_id: UUID
    type: str
    sequence: int
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    retry_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """A row of the audit trail, and when the metrics counted the event, if they did and still know."""

    position: int
    event_id: UUID
    type: str
    sequence: int
    received_at: datetime
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the consumers' database has of a subject, or of what operators did with its events."""

    events: Sequence[AuditedEvent]
    actions: Sequence[RecordedAction]


class Trail(Protocol):
    """Looks into the audit trail. Raises `Unavailable` while it is out of reach."""

    async def told(self, subject: UUID, event_ids: Collection[UUID]) -> Told:
        """What it has of the subject in the order of its positions, and the actions on those or the given events."""
        ...


def of_the_outbox(events: Iterable[WrittenEvent]) -> list[Moment]:
    """When the events were written, and sent."""
    moments = []
    for event in events:
        details = {"event_id": str(event.event_id), "sequence": event.sequence}
        moments.append(Moment(event.created_at, "outbox", f"{event.type} written", details))
        if event.sent_at is not None:
            moments.append(Moment(event.sent_at, "outbox", f"{event.type} sent", details))
    return moments


def of_the_trail(told: Told) -> list[Moment]:
    """When the events were audited and counted, and what operators did with them."""
    moments = []
    for event in told.events:
        details = {"event_id": str(event.event_id), "sequence": event.sequence, "position": event.position}
        moments.append(Moment(event.received_at, "audit", f"{event.type} audited, position {event.position}", details))
        if event.counted_at is not None:
            counted = {name: of for name, of in details.items() if name != "position"}
            moments.append(Moment(event.counted_at, "metrics", f"{event.type} counted", counted))
    for action in told.actions:
        phase = f" {action.details['phase']}" if "phase" in action.details else ""
        moments.append(Moment(action.at, "operator", f"{action.action}{phase}, by {action.operator}", action.details))
    return moments


def gaps(events: Sequence[WrittenEvent], told: Told, looked: bool) -> list[str]:
    """What of the events is not as it should be at rest, or is gone by its age. `looked`: whether the trail was."""
    notes = []
    if not events:
        notes.append("its events have left the outbox: OUTBOX_RETENTION_H is over")
    audited = {event.event_id for event in told.events}
    for event in events:
        if event.sent_at is None:
            tried = f", tried {event.attempts} times, again at {event.retry_at}: {event.last_error}"
            notes.append(f"{event.type} is not sent yet{tried if event.attempts else ''}")
        elif looked and event.event_id not in audited:
            notes.append(f"{event.type} was sent and is not in the audit trail: on its way, dead, or lost")
    return notes


_CAUSES = ("request", "purchase", "checkout", "refund", "gateway", "stock", "ledger", "hold", "order", "key", "outbox")
"""Sources in the order of cause and effect: what one transaction has written is of one time."""


def in_order(moments: Iterable[Moment]) -> Sequence[Moment]:
    """The moments, the oldest first."""
    return sorted(moments, key=_place)


def _place(moment: Moment) -> tuple[datetime, int]:
    return moment.at, _CAUSES.index(moment.source) if moment.source in _CAUSES else len(_CAUSES)
