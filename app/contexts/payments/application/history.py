"""A payment's whole story on one time line: request, entries, gateway, events, audit trail, operators' actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.contexts.payments.application.moments import of_the_key, of_the_payment
from app.contexts.payments.application.records import Booked, PaymentRecords
from app.contexts.payments.domain.payment import Payment
from app.kernel.errors import Unavailable
from app.kernel.moments import Moment
from app.platform.operations.trail import Told, Trail, gaps, in_order, of_the_outbox, of_the_trail

LATE_S: Final = 10.0
"""What recovery has not taken so long after it was due has its reason told."""


@dataclass(frozen=True, slots=True)
class Story:
    """A payment, its moments (oldest first), what will come next, and what could not be looked at."""

    payment: Payment
    provider_name: str | None
    moments: Sequence[Moment]
    next: str | None
    next_at: datetime | None
    notes: Sequence[str]


class PaymentNotFound(Exception):  # noqa: N818 -- it says what is not there
    """No such payment."""

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"there is no payment {payment_id}")


async def tell(
    records: PaymentRecords, trail: Trail, payment_id: UUID, recover_after_s: float, key_ttl_h: float
) -> Story:
    """The payment's story. Without the audit trail it is told as far as the books know it, with a note.

    Raises:
        PaymentNotFound: the books have no such payment.
        Unavailable: the books are out of reach.
    """
    booked = await records.payment(payment_id)
    if booked is None:
        raise PaymentNotFound(payment_id)
    told, notes = Told((), ()), []
    try:
        told = await trail.told(payment_id, [event.event_id for event in booked.events])
    except Unavailable as error:
        notes.append(f"the audit trail is not shown: {error}")
    looked = not notes
    if booked.key is None:
        notes.append("its idempotency key was purged: IDEMPOTENCY_TTL_H is over")
    notes += gaps(booked.events, told, looked)
    moments = [
        *of_the_payment(booked),
        *of_the_key(booked.key, key_ttl_h),
        *of_the_outbox(booked.events),
        *of_the_trail(told),
    ]
    what, at = _next(booked, recover_after_s)
    return Story(booked.payment, booked.provider_name, in_order(moments), what, at, notes)


def _next(booked: Booked, recover_after_s: float) -> tuple[str | None, datetime | None]:
    payment = booked.payment
    if payment.is_final:
        return None, None
    at = payment.created_at + timedelta(seconds=recover_after_s)
    if booked.recover_after is not None:
        at = max(at, booked.recover_after)
    if payment.void_requested_at is None:
        what = "recovery asks the gateway: a charge settles it; none, or another amount, is voided and refunded"
    else:
        what = "recovery repeats the void until the gateway confirms it: then FAILED, refunded"
    late_s = (booked.now - at).total_seconds()
    if late_s > 0:
        what += f" (due for {late_s:.0f} s"
        what += ": does `strongbox recover` run, does the gateway answer?)" if late_s > LATE_S else ")"
    return what, at
