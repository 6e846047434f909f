"""Refunds over HTTP: from a request to what becomes of it, through the mode that is set."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from mock_gateway.charges import Charge, Charges, Record
from mock_gateway.modes import Fate, Mode
from mock_gateway.refunds import Heard, Refund, RefundRequest
from mock_gateway.replies import Answer, Reply, Settled, problem
from mock_gateway.values import PaymentId, RefundId, wrong

_decode = msgspec.json.Decoder(RefundRequest).decode


class Suffer(Protocol):
    """Serves a request as its fate has it: `answer` serves it well, `effect` does only what it does."""

    def __call__(self, fate: Fate, effect: Callable[[], object], answer: Callable[[], Settled]) -> Reply:
        """Serve it."""
        ...


class Refunding:
    """Answers requests about the refunds of charges."""

    def __init__(self, suffer: Suffer, late: Callable[[Fate, Callable[[], object]], None]) -> None:
        self._suffer = suffer
        self._late = late

    def refund(self, charges: Charges, mode: Mode, payment_id: PaymentId, keys: tuple[str, ...], raw: bytes) -> Reply:
        """Give back, once for each id."""
        try:
            request = _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, f"body: {error}")
        if len(keys) != 1 or keys[0].lower() != request.refund_id:
            return problem(400, "header Idempotency-Key: must be given once and equal refund_id")
        heard = charges.refunds.of(payment_id, RefundId(request.refund_id))
        heard.attempts.refund += 1
        fate = mode.draw("refund", request.refund_id, heard.attempts.refund)
        record = charges.of(payment_id)
        make = partial(_make, charges, record, heard, request, fate)
        if fate.kind != "wrong_amount" or record.status != "APPROVED" or _is_another(heard, request):
            return self._suffer(fate, make, partial(_answer, charges, record, heard, request, fate))
        # Shown first or recorded first, what a client sees is the wrong amount: also when a right refund stands.
        shown = heard.refund or _offer(payment_id, request, "REFUNDED", None)
        reply = _refunded(msgspec.structs.replace(shown, amount=wrong(request.amount)), 200 if heard.refund else 201)
        self._late(fate, make)
        return reply

    def ask(self, charges: Charges, mode: Mode, payment_id: PaymentId, refund_id: RefundId) -> Reply:
        """Tell what became of a refund."""
        heard = charges.refunds.of(payment_id, refund_id)
        heard.attempts.ask += 1
        fate = mode.draw("ask", refund_id, heard.attempts.ask)
        if fate.kind == "wrong_amount" and heard.refund and heard.request:
            return _refunded(msgspec.structs.replace(heard.refund, amount=wrong(heard.request.amount)), 200)
        return self._suffer(fate, lambda: None, partial(_told, heard))


def _answer(charges: Charges, record: Record, heard: Heard, request: RefundRequest, fate: Fate) -> Answer:
    if _is_another(heard, request):
        return problem(422, "this refund was asked for with another amount or currency")
    if heard.refund is None and record.status != "APPROVED":
        body = {"payment_id": record.payment_id, "status": record.status or "UNKNOWN"}
        return Answer(409, msgspec.json.encode(body))
    made = _make(charges, record, heard, request, fate)
    assert heard.refund is not None, "the charge stands"
    return _refunded(heard.refund, 201 if made else 200)


def _make(charges: Charges, record: Record, heard: Heard, request: RefundRequest, fate: Fate) -> bool:
    if record.charge is None or record.status != "APPROVED":
        return False
    left = record.charge.amount - charges.refunds.given_back(record.payment_id)
    return charges.refunds.take(heard, request, _decided(record.charge, left, request, fate))


def _decided(charge: Charge, left: int, request: RefundRequest, fate: Fate) -> Refund:
    payment_id = PaymentId(charge.payment_id)
    if fate.kind == "declined":
        return _offer(payment_id, request, "REFUSED", "DO_NOT_REFUND")
    if request.currency != charge.currency or request.amount > left:
        return _offer(payment_id, request, "REFUSED", "exceeds_charge")
    offer = _offer(payment_id, request, "REFUNDED", None)
    return msgspec.structs.replace(offer, amount=wrong(request.amount)) if fate.kind == "wrong_amount" else offer


def _is_another(heard: Heard, request: RefundRequest) -> bool:
    return heard.request is not None and heard.request != request


def _offer(payment_id: PaymentId, request: RefundRequest, status: str, code: str | None) -> Refund:
    return Refund(request.refund_id, payment_id, request.amount, request.currency, status, code)  # type: ignore[arg-type]


def _refunded(refund: Refund, status: int) -> Answer:
    return Answer(status, msgspec.json.encode(refund))


def _told(heard: Heard) -> Answer:
    return _refunded(heard.refund, 200) if heard.refund else problem(404, "no such refund was seen so far")
