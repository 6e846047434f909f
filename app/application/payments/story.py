"""A payment's whole story on one time line: request, entries, gateway, events, audit trail, operators' actions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from app.application.ports import Unavailable
from app.domain.payments.payment import Payment


@dataclass(frozen=True, slots=True)
class Leg:
    """An entry of the ledger, with its transaction's id and kind. Amounts in minor units."""

    transaction_id: UUID
    kind: str
    account: str
    amount_minor: int
    balance_after_minor: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where an idempotency key stands; it is final once it has an answer."""

    created_at: datetime
    finalized_at: datetime | None
    response_status: int | None


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """A row of the outbox."""

    event_id: UUID
    type: str
    sequence: int
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    retry_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books have of a payment. `recover_after`: recovery leaves it alone until then. `now`: their clock."""

    payment: Payment
    provider_name: str | None
    recover_after: datetime | None
    now: datetime
    legs: Sequence[Leg]
    key: KeyState | None
    events: Sequence[WrittenEvent]


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
class Action:
    """A row of `audit.actions`."""

    at: datetime
    operator: str
    action: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """What the consumers' database has of a payment, or of what operators did with its events."""

    events: Sequence[AuditedEvent]
    actions: Sequence[Action]


class PaymentRecords(Protocol):
    """Looks into the books. Raises `Unavailable` while they are out of reach."""

    async def payment(self, payment_id: UUID) -> Booked | None:
        """All of the payment's rows in one snapshot."""
        ...


class Trail(Protocol):
    """Looks into the audit trail. Raises `Unavailable` while it is out of reach."""

    async def told(self, payment_id: UUID, event_ids: Collection[UUID]) -> Told:
        """What it has of the payment in the order of its positions, and the actions on those or the given events."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the time line. `source` is where it is recorded."""

    at: datetime
    source: str
    what: str
    details: Mapping[str, object] = field(default_factory=dict)


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
    notes += _gaps(booked, told, looked=not notes)
    moments = [*_of_the_payment(booked), *_of_the_key(booked, key_ttl_h), *_of_the_outbox(booked), *_of_the_trail(told)]
    what, at = _next(booked, recover_after_s)
    return Story(booked.payment, booked.provider_name, sorted(moments, key=lambda m: m.at), what, at, notes)


def key_digest(key: str) -> str:
    """By this an idempotency key is recognised without being told."""
    return sha256(key.encode()).hexdigest()[:16]


def _of_the_payment(booked: Booked) -> list[Moment]:
    payment = booked.payment
    accepted = {
        "key_digest": key_digest(payment.idempotency_key),
        "provider_id": str(payment.provider_id),
        "traceparent": payment.traceparent,
    }
    moments = [Moment(payment.created_at, "request", "accepted: the money is set aside, PENDING", accepted)]
    for leg in booked.legs:
        after = "" if leg.balance_after_minor is None else f", balance {leg.balance_after_minor}"
        what = f"{leg.kind} {leg.amount_minor:+d} {payment.money.currency} on {leg.account}{after}"
        moments.append(Moment(leg.created_at, "ledger", what, {"transaction_id": str(leg.transaction_id)}))
    if payment.void_requested_at is not None:
        moments.append(
            Moment(payment.void_requested_at, "gateway", "a void was announced: no approval counts any more")
        )
    if payment.finalized_at is not None:
        code = f" ({payment.failure_code})" if payment.failure_code else ""
        moments.append(
            Moment(
                payment.finalized_at,
                "gateway",
                f"{payment.status}{code}: final",
                {"failure_code": payment.failure_code},
            )
        )
    return moments


def _of_the_key(booked: Booked, ttl_h: float) -> list[Moment]:
    key = booked.key
    if key is None or key.finalized_at is None:
        return []
    until = key.finalized_at + timedelta(hours=ttl_h)
    what = f"the answer is stored under its key: {key.response_status}"
    return [Moment(key.finalized_at, "key", what, {"kept_until": until.isoformat()})]


def _of_the_outbox(booked: Booked) -> list[Moment]:
    moments = []
    for event in booked.events:
        details = {"event_id": str(event.event_id), "sequence": event.sequence}
        moments.append(Moment(event.created_at, "outbox", f"{event.type} written", details))
        if event.sent_at is not None:
            moments.append(Moment(event.sent_at, "outbox", f"{event.type} sent", details))
    return moments


def _of_the_trail(told: Told) -> list[Moment]:
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


def _gaps(booked: Booked, told: Told, looked: bool) -> list[str]:
    """What is not as it should be at rest, or is gone by its age."""
    notes = []
    if booked.key is None:
        notes.append("its idempotency key was purged: IDEMPOTENCY_TTL_H is over")
    if not booked.events:
        notes.append("its events have left the outbox: OUTBOX_RETENTION_H is over")
    audited = {event.event_id for event in told.events}
    for event in booked.events:
        if event.sent_at is None:
            tried = f", tried {event.attempts} times, again at {event.retry_at}: {event.last_error}"
            notes.append(f"{event.type} is not sent yet{tried if event.attempts else ''}")
        elif looked and event.event_id not in audited:
            notes.append(f"{event.type} was sent and is not in the audit trail: on its way, dead, or lost")
    return notes


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
        what += ": does `strongbox recover` run, does the gateway answer?)" if late_s > _LATE_S else ")"
    return what, at


_LATE_S = 10.0
