"""The points of a payment's time line, and of a refund's, out of what is recorded of it."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from app.contexts.payments.application.records import Booked, KeyState, Leg
from app.contexts.payments.domain.refund import Refund
from app.kernel.moments import Moment


def key_digest(key: str) -> str:
    """By this an idempotency key is recognised without being told."""
    return sha256(key.encode()).hexdigest()[:16]


def of_the_payment(booked: Booked) -> list[Moment]:
    """Its request, its entries in the ledger, and what the gateway said."""
    payment = booked.payment
    accepted = {
        "key_digest": key_digest(payment.idempotency_key),
        "provider_id": str(payment.provider_id),
        "traceparent": payment.traceparent,
    }
    moments = [Moment(payment.created_at, "request", "accepted: the money is set aside, PENDING", accepted)]
    moments += of_the_ledger(booked.legs, payment.money.currency)
    if payment.void_requested_at is not None:
        moments.append(
            Moment(payment.void_requested_at, "gateway", "a void was announced: no approval counts any more")
        )
    for refund in booked.refunds:
        moments += of_a_refund(refund)
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


def of_a_refund(refund: Refund) -> list[Moment]:
    """When it was promised, and what the gateway said."""
    told = {"refund_id": str(refund.id)}
    why = f": {refund.reason}" if refund.reason else ""
    what = f"a refund of {refund.money.amount_minor} {refund.money.currency} is promised, PENDING{why}"
    asked = {"key_digest": key_digest(refund.idempotency_key), "asked_by": str(refund.asked_by)}
    moments = [Moment(refund.created_at, "refund", what, told | asked)]
    if refund.finalized_at is not None:
        code = f" ({refund.failure_code})" if refund.failure_code else ""
        moments.append(Moment(refund.finalized_at, "gateway", f"the refund is {refund.status}{code}: final", told))
    return moments


def of_the_ledger(legs: Sequence[Leg], currency: str) -> list[Moment]:
    """What was moved."""
    moments = []
    for leg in legs:
        after = "" if leg.balance_after_minor is None else f", balance {leg.balance_after_minor}"
        what = f"{leg.kind} {leg.amount_minor:+d} {currency} on {leg.account}{after}"
        moments.append(Moment(leg.created_at, "ledger", what, {"transaction_id": str(leg.transaction_id)}))
    return moments


def of_the_key(key: KeyState | None, ttl_h: float) -> list[Moment]:
    """When its answer was stored."""
    if key is None or key.finalized_at is None:
        return []
    until = key.finalized_at + timedelta(hours=ttl_h)
    what = f"the answer is stored under its key: {key.response_status}"
    return [Moment(key.finalized_at, "key", what, {"kept_until": until.isoformat()})]
