"""The answers to payments: those that are stored with their key, and the one that cannot be."""

from msgspec import json

from app.adapters.http.errors import STATUS, ErrorCode, Problem, envelope, funds
from app.adapters.shapes import payment_shape
from app.application.payments.results import StillPending
from app.application.ports import Answer
from app.domain.payments.payment import Payment, Status
from app.domain.payments.provider import FailureCode
from app.domain.refusals import InsufficientFunds

_encode = json.Encoder().encode

_CODES: dict[FailureCode, ErrorCode] = {
    FailureCode.GATEWAY_ERROR: "GATEWAY_ERROR",
    FailureCode.GATEWAY_TIMEOUT: "GATEWAY_TIMEOUT",
    FailureCode.DEADLINE_EXCEEDED: "GATEWAY_TIMEOUT",
}
_STORED: dict[int, ErrorCode] = {STATUS[code]: code for code in ("INSUFFICIENT_FUNDS", *_CODES.values())}
_WHY = {
    FailureCode.GATEWAY_ERROR: "the payment gateway answered with an error",
    FailureCode.GATEWAY_TIMEOUT: "the payment gateway did not answer in time",
    FailureCode.DEADLINE_EXCEEDED: "the request's time was over",
}


class HttpAnswers:
    """Makes the bytes that are stored, sent, and replayed."""

    def settled(self, payment: Payment) -> Answer:
        """The payment itself, or the gateway's failure with where the money is."""
        if payment.status is not Status.FAILED:
            return Answer(201, _encode(payment_shape(payment)))
        why = FailureCode(payment.failure_code or FailureCode.GATEWAY_TIMEOUT)
        code = _CODES[why]
        message = f"{_WHY[why]}; the payment failed and its funds are back in the wallet"
        return Answer(STATUS[code], envelope(code, message, _details(payment)))

    def refused(self, refusal: InsufficientFunds) -> Answer:
        """What the wallet holds and what was asked of it."""
        return Answer(STATUS["INSUFFICIENT_FUNDS"], envelope("INSUFFICIENT_FUNDS", str(refusal), funds(refusal)))


def code_of(answer: Answer) -> ErrorCode | None:
    """The code in the body of a stored answer, if it is an error's."""
    return _STORED.get(answer.status)


def pending(result: StillPending) -> Problem:
    """The answer to a payment whose outcome nobody knows yet. It is never stored."""
    message = f"{_WHY[result.why]}; the outcome is not known yet: the same Idempotency-Key will tell it"
    return Problem(_CODES[result.why], message, _details(result.payment))


def _details(payment: Payment) -> dict[str, object]:
    return {
        "payment_id": payment.id,
        "status": payment.status.value,
        "refunded": payment.status is Status.FAILED,
    }
