"""What the world is told of transfers and holds."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.contexts.funds.domain.hold import Hold, HoldStatus
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.ids import EventId, UserId
from app.kernel.principal import TenantId


class EventType(StrEnum):
    """An event's type, which is its routing key too."""

    TRANSFERRED = "transfer.completed"
    PLACED = "hold.placed"
    RESIZED = "hold.resized"
    CAPTURED = "hold.captured"
    RELEASED = "hold.released"


_CLOSED = {HoldStatus.CAPTURED: EventType.CAPTURED, HoldStatus.RELEASED: EventType.RELEASED}


class Event(NamedTuple):
    """A fact about a transfer, or about a hold as it stood then."""

    id: EventId
    subject: CompletedTransfer | Hold
    occurred_at: datetime

    @property
    def type(self) -> EventType:
        """What happened: a hold's first version is its placing, an open one's later ones are other amounts."""
        if isinstance(self.subject, CompletedTransfer):
            return EventType.TRANSFERRED
        opened = EventType.PLACED if self.subject.version == 1 else EventType.RESIZED
        return _CLOSED.get(self.subject.status, opened)

    @property
    def subject_id(self) -> UUID:
        """The transfer's id, or the hold's."""
        return self.subject.id

    @property
    def sequence(self) -> int:
        """Its place among the subject's events."""
        return 1 if isinstance(self.subject, CompletedTransfer) else self.subject.version

    @property
    def owner(self) -> UserId:
        """Whose money it was."""
        if isinstance(self.subject, Hold):
            return self.subject.owner
        return self.subject.sender or self.subject.recipient

    @property
    def tenant_id(self) -> TenantId:
        """For whom it happened."""
        return self.subject.tenant_id
