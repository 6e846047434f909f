"""The gateway's contract, one request at a time: what it is asked, and which of its answers mean something.

Anything that is not exactly an answer of the contract is not an outcome: the charge may stand.
"""

from uuid import UUID

import msgspec

from app.contexts.payments.adapters.gateway.exchange import Exchange, Word, decode, not_an_outcome
from app.contexts.payments.domain.outcome import Absent, Approved, Declined, FailureCode, Mismatched, Voided
from app.contexts.payments.domain.payment import Payment


class _Charge(msgspec.Struct, tag_field="status"):
    charge_id: str
    payment_id: UUID
    amount: int
    currency: str
    decline_code: Word | None

    def is_for(self, payment: Payment) -> bool:
        return (self.payment_id, self.amount, self.currency) == (
            payment.id,
            payment.money.amount_minor,
            payment.money.currency,
        )


class _ApprovedCharge(_Charge, tag="APPROVED"):
    pass


class _DeclinedCharge(_Charge, tag="DECLINED"):
    pass


class _Tombstone(msgspec.Struct, tag_field="status", tag="VOIDED"):
    payment_id: UUID


class _DeclinedAlready(msgspec.Struct, tag_field="status", tag="DECLINED"):
    """A declined charge as a void finds it: the charge, or as little of it as a tombstone has."""

    payment_id: UUID
    amount: int | None = None
    currency: str | None = None
    decline_code: Word | None = None

    def is_for(self, payment: Payment) -> bool:
        return (
            self.payment_id == payment.id
            and self.amount in (None, payment.money.amount_minor)
            and self.currency in (None, payment.money.currency)
        )


_CHARGE = msgspec.json.Decoder(_ApprovedCharge | _DeclinedCharge)
_TOMBSTONE = msgspec.json.Decoder(_Tombstone)
_HELD = msgspec.json.Decoder(_ApprovedCharge | _DeclinedCharge | _Tombstone)
_AFTER_VOID = msgspec.json.Decoder(_Tombstone | _DeclinedAlready)


class GatewayClient:
    """Speaks the contract. Each call is one request, to be over by `deadline`, a time of the running loop.

    Every call raises AttemptFailedError for whatever is not an outcome.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._charges = exchange.charges

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided:
        """Charge the payment, whose id is the gateway's idempotency key: sent again, it is charged once."""
        wanted = {
            "payment_id": payment.id,
            "provider_id": payment.provider_id,
            "external_reference": payment.external_reference,
            "amount": payment.money.amount_minor,
            "currency": payment.money.currency,
        }
        headers = [(b"Idempotency-Key", str(payment.id).encode()), (b"Content-Type", b"application/json")]
        answer = await self._exchange.send(
            "POST", self._charges, payment.traceparent, deadline, headers, msgspec.json.encode(wanted)
        )
        if answer.status in (200, 201):
            charge = decode(_CHARGE, answer)
            if charge.is_for(payment):
                return _outcome(charge)
        if answer.status == 409 and decode(_TOMBSTONE, answer).payment_id == payment.id:
            return Voided(FailureCode.GATEWAY_ERROR)
        raise not_an_outcome(answer)

    async def ask(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | Absent | Mismatched:
        """Ask what became of the payment's charge."""
        answer = await self._exchange.send("GET", f"{self._charges}/{payment.id}", payment.traceparent, deadline)
        if answer.status == 404:
            return Absent()
        if answer.status != 200:
            raise not_an_outcome(answer)
        held = decode(_HELD, answer)
        if not isinstance(held, _Tombstone):
            return _outcome(held) if held.is_for(payment) else Mismatched()
        if held.payment_id == payment.id:
            return Voided(FailureCode.GATEWAY_ERROR)
        raise not_an_outcome(answer)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined:
        """See to it that no charge stands. Repeating it changes nothing."""
        answer = await self._exchange.send("POST", f"{self._charges}/{payment.id}/void", payment.traceparent, deadline)
        if answer.status == 200:
            found = decode(_AFTER_VOID, answer)
            if isinstance(found, _Tombstone):
                if found.payment_id == payment.id:
                    return Voided(FailureCode.GATEWAY_ERROR)
            elif found.is_for(payment):
                return Declined(found.decline_code or "DECLINED")
        raise not_an_outcome(answer)


def _outcome(charge: _ApprovedCharge | _DeclinedCharge) -> Approved | Declined:
    if isinstance(charge, _ApprovedCharge):
        return Approved()
    return Declined(charge.decline_code or "DECLINED")
