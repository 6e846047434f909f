"""What an attempt that came to nothing means: whether something may have happened, and whether to try again."""

from email.utils import parsedate_to_datetime
from typing import Any, Final

from strongbox_client import codes
from strongbox_client.calls import Again, Answer, Call
from strongbox_client.errors import ApiError, NoAnswer, StrongboxError, UnexpectedAnswer
from strongbox_client.terms import Terms

SETTLING: Final = (404, 409, 412, 422)
"""What is answered behind the look at the key: had the request been done before, its answer would be told instead."""
NOTHING_DONE: Final = (codes.RateLimited, codes.GatewayUnavailable, codes.CheckoutInProgress)
"""May be asked again, whatever it is."""
UNSURE: Final = (UnexpectedAnswer, codes.IdempotencyInProgress, codes.Unavailable, codes.Internal)
OF_PROXIES: Final = (502, 503, 504)
GATEWAYS: Final = (codes.GatewayError, codes.GatewayTimeout)


def leaves_open(failed: StrongboxError) -> bool:
    """Whether something may have happened, or is about to."""
    if isinstance(failed, NoAnswer):
        return failed.was_sent
    if isinstance(failed, GATEWAYS):
        return failed.status == "PENDING"
    return isinstance(failed, UNSURE)


def settles(failed: StrongboxError) -> bool:
    """Whether it is known by this that nothing has happened, whatever was heard before."""
    if isinstance(failed, GATEWAYS):
        return failed.status != "PENDING"
    in_progress = isinstance(failed, codes.IdempotencyInProgress | codes.CheckoutInProgress)
    return isinstance(failed, ApiError) and failed.http_status in SETTLING and not in_progress


def wait_s(call: Call[Any], failed: StrongboxError, heard: Answer | NoAnswer, nth: int, terms: Terms) -> float | None:
    """How long to wait for the next attempt; None where there is to be none. `nth` counts from 0 on."""
    was_not_done = isinstance(failed, NOTHING_DONE) or (isinstance(failed, NoAnswer) and not failed.was_sent)
    if not was_not_done and (call.again is Again.NEVER or not may_pass(failed)):
        return None
    told = retry_after_s(heard, terms.wall_clock()) if isinstance(heard, Answer) else None
    patience = terms.patience
    usual = min(patience.first_wait_s * 2 ** min(nth, 20), patience.longest_wait_s)
    return usual * (0.5 + terms.chance() / 2) if told is None else told


def may_pass(failed: StrongboxError) -> bool:
    """Whether the same request may find a better answer later: a bug stays, what a proxy says passes."""
    if isinstance(failed, UnexpectedAnswer):
        return failed.http_status in OF_PROXIES
    return leaves_open(failed) and not isinstance(failed, codes.Internal)


def retry_after_s(answer: Answer, now: float) -> float | None:
    """What `Retry-After` says: seconds, or a time."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (OverflowError, ValueError):
        return None
