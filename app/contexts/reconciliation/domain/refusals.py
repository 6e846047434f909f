"""What reconciliation refuses for a business reason: one class each, its data as attributes, no HTTP."""

from app.kernel.refusals import Refusal


class NotAReport(Refusal):
    """What came is no report of a day: `member` says where, `why` in which way. Nothing of it was kept."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member, why)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"


class ReconciliationNotFound(Refusal):
    """The tenant has no such run."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such reconciliation"


class FindingNotFound(Refusal):
    """The tenant has no such finding."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such finding"
