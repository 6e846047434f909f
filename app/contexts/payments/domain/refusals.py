"""What payments refuse for a business reason: one class each, its data as attributes, no HTTP."""

from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.kernel.refusals import Refusal


class ProviderNotFound(Refusal):
    """There is no such provider, or it is not active."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such active provider"


class ProviderExists(Refusal):
    """The id belongs to a provider of another name."""

    code = "PROVIDER_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"this id belongs to the provider {self.name!r}"


class KeyInProgress(Refusal):
    """Another request with this Idempotency-Key is under way, or its payment is not final yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"

    def __init__(self, payment_id: PaymentId) -> None:
        super().__init__(payment_id)
        self.payment_id = payment_id

    def __str__(self) -> str:
        return "a request with this Idempotency-Key is still being worked on; retry with the same key"


class GatewayUnavailable(Refusal):
    """The gate to the gateway is closed: the breaker is open or the bulkhead is full. Nothing was done."""

    code = "GATEWAY_UNAVAILABLE"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return "the payment gateway takes no new payments at the moment; nothing was charged"


class RefundsUnavailable(Refusal):
    """The gate is closed for refunds. Nothing was done."""

    code = "GATEWAY_UNAVAILABLE"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return "the payment gateway takes no refunds at the moment; nothing was promised"


class PaymentNotFound(Refusal):
    """There is no such payment, or it is somebody else's."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such payment"


class RefundNotFound(Refusal):
    """There is no such refund, or it is somebody else's."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such refund"


class PaymentNotApproved(Refusal):
    """Nothing was paid, or it is not known yet: there is nothing to give back."""

    code = "PAYMENT_STATE"

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"only an approved payment can be refunded; this one is {self.status}"


class RefundTooLarge(Refusal):
    """More is asked for than is left of the payment. In minor units."""

    code = "REFUND_TOO_LARGE"

    def __init__(self, refundable: int) -> None:
        super().__init__(refundable)
        self.refundable = refundable

    def __str__(self) -> str:
        return f"of this payment {self.refundable} can be refunded"


class RefundInProgress(Refusal):
    """Another request with this Idempotency-Key is under way, or its refund is not final yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"

    def __init__(self, refund_id: RefundId) -> None:
        super().__init__(refund_id)
        self.refund_id = refund_id

    def __str__(self) -> str:
        return "a request with this Idempotency-Key is still being worked on; retry with the same key"


class RefundIsFinal(Refusal):
    """What was to be settled by hand is settled already."""

    code = "REFUND_IS_FINAL"

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"the refund is {self.status} already"
