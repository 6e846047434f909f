"""The errors that requests about reconciliations are answered with."""

from dataclasses import replace
from typing import Final

from app.contexts.reconciliation.domain.refusals import FindingNotFound, NotAReport, ReconciliationNotFound
from app.platform.http import codes

MOST_BYTES: Final = 16 * 1024 * 1024

NO_REPORT: Final = replace(
    codes.VALIDATION_ERROR,
    when="The request is malformed, or its body is no report; `details` says where and why. Nothing of it was kept.",
    details={"line 3, amount,": "must be a whole number of minor units, 1 or more"},
    refusals=(NotAReport,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)
TOO_LARGE: Final = replace(
    codes.PAYLOAD_TOO_LARGE, when="The report is over 16 MiB.", message=f"a body has at most {MOST_BYTES} bytes"
)
NO_CSV: Final = replace(
    codes.UNSUPPORTED_MEDIA_TYPE,
    when="The body is not `text/csv`, or is compressed.",
    message="the body must be text/csv",
    details={"Content-Type": "text/csv"},
)
NO_SUCH_RUN: Final = replace(
    codes.NOT_FOUND,
    when="There is no such reconciliation of this tenant.",
    message=str(ReconciliationNotFound()),
    refusals=(ReconciliationNotFound,),
)
NO_SUCH_FINDING: Final = replace(
    codes.NOT_FOUND,
    when="There is no such finding of this tenant.",
    message=str(FindingNotFound()),
    refusals=(FindingNotFound,),
)
