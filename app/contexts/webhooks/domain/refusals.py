"""What webhooks refuse for a business reason: one class each, its data as attributes, no HTTP."""

from app.kernel.refusals import Refusal


class EndpointNotFound(Refusal):
    """The tenant has no such endpoint."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such webhook"


class DeliveryNotFound(Refusal):
    """The endpoint has no such delivery."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such delivery"


class TooMany(Refusal):
    """The tenant has as many endpoints as one may have: `most`."""

    code = "TOO_MANY"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return f"there are {self.most} webhooks already: delete one first"


class EndpointDisabled(Refusal):
    """Nothing is sent there."""

    code = "WEBHOOK_DISABLED"

    def __str__(self) -> str:
        return "the webhook is disabled: set its status to ACTIVE first"


class Unfit(Refusal):
    """An endpoint cannot be like that: `member` says where, `why` in which way."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member, why)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"
