"""The errors that payments are answered with."""

from dataclasses import replace

from app.contexts.funds.public import BalanceLimit, InsufficientFunds, UserNotFound, WalletNotFound
from app.contexts.payments.domain.refusals import (
    GatewayUnavailable,
    KeyInProgress,
    PaymentNotApproved,
    PaymentNotFound,
    ProviderNotFound,
    RefundInProgress,
    RefundNotFound,
    RefundsUnavailable,
    RefundTooLarge,
)
from app.kernel.money import MAX_MINOR
from app.platform.http import codes
from app.platform.http.codes import ErrorCode, in_a_moment
from app.platform.idempotency.refusals import KeyReused

PAYMENT = "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42"
"""The payment of the examples."""
REFUND = "0193a5b2-7c4e-7d19-8afb-607182930415"
"""The refund of the examples."""


VALIDATION_ERROR = replace(codes.VALIDATION_ERROR, details={"amount": f"must be an integer between 1 and {MAX_MINOR}"})
NOT_FOUND = replace(
    codes.NOT_FOUND,
    when="There is no such user, wallet or active provider.",
    message="there is no such user",
    refusals=(UserNotFound, WalletNotFound, ProviderNotFound),
)
INSUFFICIENT_FUNDS = ErrorCode(
    name="INSUFFICIENT_FUNDS",
    status=409,
    when="The wallet does not hold enough. Stored: after a top-up a new key is needed.",
    message="the wallet does not hold enough; after a top-up use a new Idempotency-Key",
    details={"currency": "USD", "current_balance": 100, "amount": 1250},
    refusals=(InsufficientFunds,),
    details_of=InsufficientFunds.told,
    is_stored=True,
)
IDEMPOTENCY_IN_PROGRESS = ErrorCode(
    name="IDEMPOTENCY_IN_PROGRESS",
    status=409,
    when="The same key is being worked on, or its payment is still pending.",
    message="a request with this Idempotency-Key is still being worked on; retry with the same key",
    details={"payment_id": PAYMENT},
    refusals=(KeyInProgress,),
    details_of=lambda refusal: {"payment_id": refusal.payment_id},
    retry_after_s=in_a_moment,
)
IDEMPOTENCY_KEY_REUSED = ErrorCode(
    name="IDEMPOTENCY_KEY_REUSED",
    status=422,
    when="The same key with another request.",
    message="this Idempotency-Key was used with another request",
    details={},
    refusals=(KeyReused,),
)
GATEWAY_ERROR = ErrorCode(
    name="GATEWAY_ERROR",
    status=502,
    when="The gateway answered with an error. `FAILED`: nothing is charged and the funds are back. `PENDING`: not "
    "known yet; the same key tells the outcome.",
    message="the payment gateway answered with an error; the payment failed and its funds are back in the wallet",
    details={"payment_id": PAYMENT, "status": "FAILED", "refunded": True},
    is_stored=True,
)
GATEWAY_UNAVAILABLE = ErrorCode(
    name="GATEWAY_UNAVAILABLE",
    status=503,
    when="The gateway takes no new payments. Nothing was done; the key stays free.",
    message="the payment gateway takes no new payments at the moment; nothing was charged",
    details={},
    refusals=(GatewayUnavailable,),
    retry_after_s=lambda refusal: refusal.retry_after_s,
)
GATEWAY_TIMEOUT = ErrorCode(
    name="GATEWAY_TIMEOUT",
    status=504,
    when="The gateway did not answer in time, or the request's time was over. `status` and `refunded` as with 502.",
    message="the payment gateway did not answer in time; the outcome is not known yet: "
    "the same Idempotency-Key will tell it",
    details={"payment_id": PAYMENT, "status": "PENDING", "refunded": False},
    is_stored=True,
)

PAYING = (
    VALIDATION_ERROR,
    NOT_FOUND,
    codes.UNAVAILABLE,
    INSUFFICIENT_FUNDS,
    IDEMPOTENCY_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    GATEWAY_ERROR,
    GATEWAY_UNAVAILABLE,
    GATEWAY_TIMEOUT,
)
"""Those of a payment, in no order that counts."""

NO_SUCH_PAYMENT = replace(
    codes.NOT_FOUND,
    when="There is no such payment, or it is somebody else's.",
    message=str(PaymentNotFound()),
    refusals=(PaymentNotFound,),
)
NO_SUCH_REFUND = replace(
    codes.NOT_FOUND,
    when="There is no such refund, or its payment is somebody else's.",
    message=str(RefundNotFound()),
    refusals=(RefundNotFound,),
)
PAYMENT_STATE = ErrorCode(
    name="PAYMENT_STATE",
    status=409,
    when="Only an approved payment can be refunded. Stored.",
    message=str(PaymentNotApproved("DECLINED")),
    details={"status": "DECLINED"},
    refusals=(PaymentNotApproved,),
    details_of=lambda refusal: {"status": str(refusal.status)},
    is_stored=True,
)
REFUND_TOO_LARGE = ErrorCode(
    name="REFUND_TOO_LARGE",
    status=409,
    when="More is asked for than is left of the payment, or nothing is left. Stored.",
    message=str(RefundTooLarge(250)),
    details={"refundable": 250},
    refusals=(RefundTooLarge,),
    details_of=lambda refusal: {"refundable": refusal.refundable},
    is_stored=True,
)
BALANCE_LIMIT = ErrorCode(
    name="BALANCE_LIMIT",
    status=409,
    when="The payer's balance, with all that may come back to it, would pass 2^63-1. Stored.",
    message=str(BalanceLimit()),
    details={},
    refusals=(BalanceLimit,),
    is_stored=True,
)
REFUND_IN_PROGRESS = replace(
    IDEMPOTENCY_IN_PROGRESS,
    when="The same key is being worked on, or its refund is still pending.",
    details={"refund_id": REFUND},
    refusals=(RefundInProgress,),
    details_of=lambda refusal: {"refund_id": refusal.refund_id},
)
REFUND_GATEWAY_ERROR = replace(
    GATEWAY_ERROR,
    when="The gateway answered with an error: what became of the refund is not known yet. It is promised, and repeated "
    "until it is known; the same key tells the outcome. Not stored.",
    message="the payment gateway answered with an error; the outcome is not known yet: "
    "the same Idempotency-Key will tell it",
    details={"refund_id": REFUND, "status": "PENDING"},
    is_stored=False,
)
REFUND_GATEWAY_TIMEOUT = replace(
    GATEWAY_TIMEOUT,
    when="The gateway did not answer in time, or the request's time was over. As with 502.",
    message="the payment gateway did not answer in time; the outcome is not known yet: "
    "the same Idempotency-Key will tell it",
    details={"refund_id": REFUND, "status": "PENDING"},
    is_stored=False,
)
REFUNDS_UNAVAILABLE = replace(
    GATEWAY_UNAVAILABLE,
    when="The gateway takes no refunds. Nothing was done; the key stays free.",
    message=str(RefundsUnavailable(1)),
    refusals=(RefundsUnavailable,),
)

REFUNDING = (
    VALIDATION_ERROR,
    NO_SUCH_PAYMENT,
    codes.UNAVAILABLE,
    PAYMENT_STATE,
    REFUND_TOO_LARGE,
    BALANCE_LIMIT,
    REFUND_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    REFUND_GATEWAY_ERROR,
    REFUNDS_UNAVAILABLE,
    REFUND_GATEWAY_TIMEOUT,
)
"""Those of a refund, in no order that counts."""
