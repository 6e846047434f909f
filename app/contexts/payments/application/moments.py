"""The points of a payment's time line, out of what is recorded of it."""

from datetime import timedelta
from hashlib import sha256

from app.contexts.payments.application.records import Booked
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


def of_the_key(booked: Booked, ttl_h: float) -> list[Moment]:
    """When its answer was stored."""
    key = booked.key
    if key is None or key.finalized_at is None:
        return []
    until = key.finalized_at + timedelta(hours=ttl_h)
    what = f"the answer is stored under its key: {key.response_status}"
    return [Moment(key.finalized_at, "key", what, {"kept_until": until.isoformat()})]
