"""The errors that requests about cashback are answered with."""

from dataclasses import replace
from typing import Final

from app.contexts.rewards.domain.refusals import (
    PurchaseNotFound,
    ReferenceReused,
    RefundTooLarge,
    RuleNotFound,
    Unfit,
    UserNotFound,
)
from app.kernel.money import MAX_MINOR
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.keyed import KEYED

REFERENCE_REUSED: Final = ErrorCode(
    name="REFERENCE_REUSED",
    status=409,
    when="The reference says something else already. Stored.",
    message=str(ReferenceReused()),
    details={},
    refusals=(ReferenceReused,),
    is_stored=True,
)
REFUND_TOO_LARGE: Final = ErrorCode(
    name="REFUND_TOO_LARGE",
    status=409,
    when="There is less left of the purchase, which `details` says in minor units. Stored.",
    message=str(RefundTooLarge(250)),
    details={"refundable": 250},
    refusals=(RefundTooLarge,),
    details_of=lambda refusal: {"refundable": refusal.refundable},
    is_stored=True,
)
_MALFORMED: Final = replace(codes.VALIDATION_ERROR, details={"amount": f"must be an integer between 1 and {MAX_MINOR}"})
NO_SUCH_USER: Final = replace(
    codes.NOT_FOUND,
    when="There is no such user of this tenant.",
    message=str(UserNotFound()),
    refusals=(UserNotFound,),
)
NO_SUCH_PURCHASE: Final = replace(
    codes.NOT_FOUND,
    when="There is no such purchase of this tenant.",
    message=str(PurchaseNotFound()),
    refusals=(PurchaseNotFound,),
)
NO_SUCH_RULE: Final = replace(
    codes.NOT_FOUND,
    when="There is no such rule of this tenant.",
    message=str(RuleNotFound()),
    refusals=(RuleNotFound,),
)
UNFIT: Final = replace(
    codes.VALIDATION_ERROR,
    details={"until": "must be later than from"},
    refusals=(Unfit,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)

BUYING: Final = (_MALFORMED, NO_SUCH_USER, codes.UNAVAILABLE, REFERENCE_REUSED, *KEYED)
REFUNDING: Final = (_MALFORMED, NO_SUCH_PURCHASE, codes.UNAVAILABLE, REFERENCE_REUSED, REFUND_TOO_LARGE, *KEYED)

STORED: Final = {type_: kind for kind in (*BUYING, *REFUNDING) if kind.is_stored for type_ in kind.refusals}
"""By refusal, those that are kept with their key."""
