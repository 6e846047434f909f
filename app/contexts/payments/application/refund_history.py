"""A refund's whole story on one time line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.contexts.payments.application.history import LATE_S
from app.contexts.payments.application.moments import of_a_refund, of_the_key, of_the_ledger
from app.contexts.payments.application.records import BookedRefund, RefundRecords
from app.contexts.payments.domain.refund import Refund
from app.kernel.errors import Unavailable
from app.kernel.moments import Moment
from app.platform.operations.trail import Told, Trail, gaps, in_order, of_the_outbox, of_the_trail


@dataclass(frozen=True, slots=True)
class RefundStory:
    """A refund, its moments (oldest first), what will come next, and what could not be looked at."""

    refund: Refund
    moments: Sequence[Moment]
    next: str | None
    next_at: datetime | None
    notes: Sequence[str]


class RefundUnknown(Exception):  # noqa: N818 -- it says what is not there
    """No such refund."""

    def __init__(self, refund_id: UUID) -> None:
        super().__init__(f"there is no refund {refund_id}")


async def tell_refund(
    records: RefundRecords, trail: Trail, refund_id: UUID, recover_after_s: float, key_ttl_h: float
) -> RefundStory:
    """The refund's story. Without the audit trail it is told as far as the books know it, with a note.

    Raises:
        RefundUnknown: the books have no such refund.
        Unavailable: the books are out of reach.
    """
    booked = await records.refund(refund_id)
    if booked is None:
        raise RefundUnknown(refund_id)
    told, notes = Told((), ()), []
    try:
        told = await trail.told(refund_id, [event.event_id for event in booked.events])
    except Unavailable as error:
        notes.append(f"the audit trail is not shown: {error}")
    looked = not notes
    if booked.key is None:
        notes.append("its idempotency key was purged: IDEMPOTENCY_TTL_H is over")
    notes += gaps(booked.events, told, looked)
    moments = [
        *of_a_refund(booked.refund),
        *of_the_ledger(booked.legs, booked.refund.money.currency),
        *of_the_key(booked.key, key_ttl_h),
        *of_the_outbox(booked.events),
        *of_the_trail(told),
    ]
    what, at = _next(booked, recover_after_s)
    return RefundStory(booked.refund, in_order(moments), what, at, notes)


def _next(booked: BookedRefund, recover_after_s: float) -> tuple[str | None, datetime | None]:
    if booked.refund.is_final:
        return None, None
    at = booked.refund.created_at + timedelta(seconds=recover_after_s)
    if booked.recover_after is not None:
        at = max(at, booked.recover_after)
    what = "recovery asks the gateway, and repeats the refund under its id where it has not heard of it"
    late_s = (booked.now - at).total_seconds()
    if late_s > LATE_S:
        what += f" (due for {late_s:.0f} s: does `strongbox recover` run, does the gateway answer?)"
    return what, at
