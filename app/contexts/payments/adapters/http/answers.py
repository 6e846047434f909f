"""The answers to payments: those that are stored with their key, and the one that cannot be."""

from msgspec import json

from app.contexts.funds.public import InsufficientFunds
from app.contexts.payments.adapters.http.errors import GATEWAY_ERROR, GATEWAY_TIMEOUT, INSUFFICIENT_FUNDS
from app.contexts.payments.adapters.shapes import payment_shape
from app.contexts.payments.application.results import StillPending
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment, Status
from app.platform.http.codes import ErrorCode
from app.platform.http.errors import Problem, envelope
from app.platform.idempotency.keys import Answer

_encode = json.Encoder().encode

_CODES: dict[FailureCode, ErrorCode] = {
    FailureCode.GATEWAY_ERROR: GATEWAY_ERROR,
    FailureCode.GATEWAY_TIMEOUT: GATEWAY_TIMEOUT,
    FailureCode.DEADLINE_EXCEEDED: GATEWAY_TIMEOUT,
}
_STORED = {kind.status: kind.name for kind in (INSUFFICIENT_FUNDS, *_CODES.values())}
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
        kind = _CODES[why]
        message = f"{_WHY[why]}; the payment failed and its funds are back in the wallet"
        return Answer(kind.status, envelope(kind, message, _details(payment)))

    def refused(self, refusal: InsufficientFunds) -> Answer:
        """What the wallet holds and what was asked of it."""
        return Answer(INSUFFICIENT_FUNDS.status, envelope(INSUFFICIENT_FUNDS, str(refusal), refusal.told()))


def code_of(answer: Answer) -> str | None:
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
