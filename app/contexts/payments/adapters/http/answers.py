"""The answers to payments: those that are stored with their key, and the one that cannot be."""

from msgspec import json

from app.contexts.funds.public import InsufficientFunds
from app.contexts.payments.adapters.http.errors import (
    GATEWAY_ERROR,
    GATEWAY_TIMEOUT,
    INSUFFICIENT_FUNDS,
    REFUND_GATEWAY_ERROR,
    REFUND_GATEWAY_TIMEOUT,
    REFUNDING,
)
from app.contexts.payments.adapters.http.views import seen_shape
from app.contexts.payments.adapters.shapes import payment_shape, refund_shape
from app.contexts.payments.application.refund_request import RefundPending, StoredRefusal
from app.contexts.payments.application.results import StillPending
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refund import Refund
from app.platform.http.codes import ErrorCode
from app.platform.http.errors import Problem, envelope
from app.platform.http.keyed import refused
from app.platform.idempotency.keys import Answer

_encode = json.Encoder().encode

_CODES: dict[FailureCode, ErrorCode] = {
    FailureCode.GATEWAY_ERROR: GATEWAY_ERROR,
    FailureCode.GATEWAY_TIMEOUT: GATEWAY_TIMEOUT,
    FailureCode.DEADLINE_EXCEEDED: GATEWAY_TIMEOUT,
}
_OF_REFUNDS: dict[FailureCode, ErrorCode] = {
    FailureCode.GATEWAY_ERROR: REFUND_GATEWAY_ERROR,
    FailureCode.GATEWAY_TIMEOUT: REFUND_GATEWAY_TIMEOUT,
    FailureCode.DEADLINE_EXCEEDED: REFUND_GATEWAY_TIMEOUT,
}
_STORED_OF_REFUNDS = {type_: kind for kind in REFUNDING if kind.is_stored for type_ in kind.refusals}
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
            shape = payment_shape(payment) if payment.asked_by is None else seen_shape(payment, 0)
            return Answer(201, _encode(shape))
        why = FailureCode(payment.failure_code or FailureCode.GATEWAY_TIMEOUT)
        kind = _CODES[why]
        message = f"{_WHY[why]}; the payment failed and its funds are back in the wallet"
        return Answer(kind.status, envelope(kind, message, _details(payment)))

    def refused(self, refusal: InsufficientFunds) -> Answer:
        """What the wallet holds and what was asked of it."""
        return Answer(INSUFFICIENT_FUNDS.status, envelope(INSUFFICIENT_FUNDS, str(refusal), refusal.told()))


class HttpRefundAnswers:
    """Makes the bytes that are stored, sent, and replayed."""

    def settled(self, refund: Refund) -> Answer:
        """The refund itself, completed or refused."""
        return Answer(201, _encode(refund_shape(refund)))

    def refused(self, refusal: StoredRefusal) -> Answer:
        """Why not."""
        return refused(_STORED_OF_REFUNDS[type(refusal)], refusal)


def code_of(answer: Answer) -> str | None:
    """The code in the body of a stored answer, if it is an error's."""
    return _STORED.get(answer.status)


def pending(result: StillPending) -> Problem:
    """The answer to a payment whose outcome nobody knows yet. It is never stored."""
    message = f"{_WHY[result.why]}; the outcome is not known yet: the same Idempotency-Key will tell it"
    return Problem(_CODES[result.why], message, _details(result.payment))


def refund_pending(result: RefundPending) -> Problem:
    """The answer to a refund whose outcome nobody knows yet. It is never stored."""
    message = f"{_WHY[result.why]}; the outcome is not known yet: the same Idempotency-Key will tell it"
    details = {"refund_id": result.refund.id, "status": result.refund.status.value}
    return Problem(_OF_REFUNDS[result.why], message, details)


def _details(payment: Payment) -> dict[str, object]:
    return {
        "payment_id": payment.id,
        "status": payment.status.value,
        "refunded": payment.status is Status.FAILED,
    }
