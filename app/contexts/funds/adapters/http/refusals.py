"""What sending and paying in are refused with."""

from dataclasses import replace
from typing import Final

from app.contexts.funds.adapters.http.bodies import MOST_BULK_BYTES
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    BulkRefused,
    InsufficientFunds,
    ReferenceReused,
    UserNotFound,
    WalletNotFound,
)
from app.kernel.money import MAX_MINOR
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.keyed import KEYED

INSUFFICIENT_FUNDS: Final = ErrorCode(
    name="INSUFFICIENT_FUNDS",
    status=409,
    when="The wallet does not hold enough. Stored: after a top-up a new key is needed.",
    message="the wallet does not hold enough; after a top-up use a new Idempotency-Key",
    details={"currency": "USD", "current_balance": 100, "amount": 1250},
    refusals=(InsufficientFunds,),
    details_of=InsufficientFunds.told,
    is_stored=True,
)
BALANCE_LIMIT: Final = ErrorCode(
    name="BALANCE_LIMIT",
    status=409,
    when="The recipient's balance, with all that may come back to it, would pass 2^63-1. Stored.",
    message=str(BalanceLimit()),
    details={},
    refusals=(BalanceLimit,),
    is_stored=True,
)
REFERENCE_REUSED: Final = ErrorCode(
    name="REFERENCE_REUSED",
    status=409,
    when="The reference paid in another amount before. Stored.",
    message=str(ReferenceReused(4000)),
    details={},
    refusals=(ReferenceReused,),
    is_stored=True,
)
BULK_REFUSED: Final = ErrorCode(
    name="BULK_REFUSED",
    status=409,
    when="Of a bulk with mode `all` some transfers cannot be done, so none was: `details` names them. Stored.",
    message=str(BulkRefused([])),
    details={"errors": [{"index": 1, "code": "NOT_FOUND"}]},
    refusals=(BulkRefused,),
    details_of=BulkRefused.told,
    is_stored=True,
)
_MALFORMED: Final = replace(codes.VALIDATION_ERROR, details={"amount": f"must be an integer between 1 and {MAX_MINOR}"})
_NOBODY: Final = replace(
    codes.NOT_FOUND,
    when="There is no such user of this tenant, or no wallet in that currency to send from.",
    message=str(UserNotFound()),
    refusals=(UserNotFound, WalletNotFound),
)

SENDING: Final = (_MALFORMED, _NOBODY, codes.UNAVAILABLE, INSUFFICIENT_FUNDS, BALANCE_LIMIT, *KEYED)
RECEIVING: Final = (
    _MALFORMED,
    replace(_NOBODY, when="There is no such user of this tenant.", refusals=(UserNotFound,)),
    codes.UNAVAILABLE,
    BALANCE_LIMIT,
    REFERENCE_REUSED,
    *KEYED,
)
SENDING_TO_SEVERAL: Final = (
    replace(codes.VALIDATION_ERROR, details={"transfers[1].amount": f"must be an integer between 1 and {MAX_MINOR}"}),
    replace(_NOBODY, when="A machine sends from a user whom this tenant has not, or a user from another's wallet."),
    replace(
        codes.PAYLOAD_TOO_LARGE,
        when=f"The body is over {MOST_BULK_BYTES // 1024} KiB.",
        message=f"a body has at most {MOST_BULK_BYTES} bytes",
    ),
    codes.UNAVAILABLE,
    BULK_REFUSED,
    *KEYED,
)
"""Those of each, in no order that counts."""

STORED: Final = {
    type_: kind for kind in (*SENDING, *RECEIVING, BULK_REFUSED) if kind.is_stored for type_ in kind.refusals
}
"""By refusal, those that are kept with their key."""
