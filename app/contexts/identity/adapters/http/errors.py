"""The errors that requests about people are answered with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from app.contexts.identity.domain.refusals import (
    AddressTaken,
    EmailTaken,
    TooManyChanges,
    Unfit,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from app.contexts.identity.domain.wallet_proof import Reason, WalletNotProved
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.errors import Problem

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="strongbox"'}
"""What goes with every 401 of a log-in."""

NOT_LOGGED_IN = replace(
    codes.UNAUTHORIZED,
    when="There is no such account, or the password is another one, or the account is disabled: it is not said which.",
    message="e-mail or password is wrong",
)
NOT_PROVED = replace(
    codes.UNAUTHORIZED,
    when="The message proves nothing to us: `details.reason` is the first of `nonce`, `domain`, `uri`, `version`, "
    "`chain`, `time` and `signature` that does not fit. Its nonce is spent.",
    message=str(WalletNotProved(Reason.SIGNATURE)),
    details={"reason": "signature"},
    refusals=(WalletNotProved,),
    details_of=lambda refusal: {"reason": refusal.reason},
)
EMAIL_TAKEN = ErrorCode(
    name="EMAIL_TAKEN",
    status=409,
    when="Somebody has this e-mail already.",
    message=str(EmailTaken()),
    details={},
    refusals=(EmailTaken,),
)
USERNAME_TAKEN = ErrorCode(
    name="USERNAME_TAKEN",
    status=409,
    when="Somebody has this username already.",
    message=str(UsernameTaken()),
    details={},
    refusals=(UsernameTaken,),
)
ADDRESS_TAKEN = ErrorCode(
    name="ADDRESS_TAKEN",
    status=409,
    when="Somebody else has this address already.",
    message=str(AddressTaken()),
    details={},
    refusals=(AddressTaken,),
)
TOO_MANY_CHANGES = ErrorCode(
    name="TOO_MANY_CHANGES",
    status=409,
    when="Addresses were linked to the user, or they were disabled and enabled, 32,765 times.",
    message=str(TooManyChanges()),
    details={},
    refusals=(TooManyChanges,),
)
WRONG_PASSWORD = replace(
    codes.FORBIDDEN,
    when="A user's role is needed, or `current_password` is not the password.",
    message=str(WrongPassword()),
    details={"current_password": "is not the password"},
    refusals=(WrongPassword,),
    details_of=lambda _: {"current_password": "is not the password"},
)
NO_SUCH_USER = replace(
    codes.NOT_FOUND, when="There is no such user.", message=str(UserNotFound()), refusals=(UserNotFound,)
)
UNFIT = replace(
    codes.VALIDATION_ERROR,
    details={"email": "must be an e-mail address in ASCII, of at most 254 characters"},
    refusals=(Unfit,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)
"""Malformed, or it does not go with what there is of the user already."""


@contextmanager
def telling_what_is_not_proved() -> Iterator[None]:
    """Answer a message that proves nothing with its reason, and with the challenge that goes with every 401."""
    try:
        yield
    except WalletNotProved as refusal:
        raise Problem(NOT_PROVED, str(refusal), NOT_PROVED.details_of(refusal), CHALLENGE) from None
