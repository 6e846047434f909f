"""What rewards refuse for a business reason: one class each, its data as attributes, no HTTP."""

from app.kernel.refusals import Refusal


class UserNotFound(Refusal):
    """The tenant has no such user."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such user"


class PurchaseNotFound(Refusal):
    """The tenant has no such purchase."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such purchase"


class RuleNotFound(Refusal):
    """The tenant has no such rule."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such rule"


class ReferenceReused(Refusal):
    """The reference says something else already."""

    code = "REFERENCE_REUSED"

    def __str__(self) -> str:
        return "this reference was used before, for something else"


class RefundTooLarge(Refusal):
    """There is not as much left of the purchase: `refundable`, in minor units."""

    code = "REFUND_TOO_LARGE"

    def __init__(self, refundable: int) -> None:
        super().__init__(refundable)
        self.refundable = refundable

    def __str__(self) -> str:
        return "there is less left of the purchase than that"


class Unfit(Refusal):
    """A rule cannot be like that: `member` says where, `why` in which way."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member, why)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"


class Contradiction(Exception):  # noqa: N818 -- it says what it is
    """Something is told that cannot be, by what is known: that what was never asked for was minted, or both failed and
    came about."""
