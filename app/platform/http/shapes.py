"""What JSON of every context is made of."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from app.kernel.currencies import is_well_formed
from app.kernel.money import MAX_MINOR
from app.platform.http.json_body import Rule

CURRENCY_RULE = "must be the code of a known currency, such as USD"

# Control characters of both ranges, the two separators that break lines as they do, and halves of surrogate pairs. A
# pattern's `$` would let a last newline pass: here the search is for what is forbidden.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
PLAIN_TEXT = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"
"""The pattern of text that `is_plain`."""

Time = Annotated[
    str,
    Meta(
        description="RFC 3339 in UTC, with microseconds.",
        examples=["2026-01-31T12:00:00.000000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]


Amount = Annotated[
    int,
    Meta(ge=1, description="Minor units (cents).", examples=[1250], extra_json_schema={"maximum": MAX_MINOR}),
    # msgspec takes no bound of 2^63-1 itself.
    Rule(f"must be an integer between 1 and {MAX_MINOR}", lambda amount: amount <= MAX_MINOR),
]


Code = Annotated[
    str,
    Meta(description="ISO 4217, or one of the service's own.", extra_json_schema={"pattern": "^[A-Z]{3,5}$"}),
    Rule(CURRENCY_RULE, is_well_formed),
]


Moment = Annotated[str, Meta(max_length=64, description="RFC 3339.", extra_json_schema={"format": "date-time"})]
"""A time as a client may spell it; `time_of` reads it."""
TIME_RULE = "must be a time of RFC 3339, such as 2026-01-31T12:00:00Z"


def time_of(text: str) -> datetime | None:
    """The time, if the text is one with its zone."""
    try:
        at: datetime = msgspec.convert(text, Annotated[datetime, Meta(tz=True)])
        return at.astimezone(UTC)
    except (ValueError, OverflowError):  # half a character is no error of msgspec's
        return None


def is_plain(text: str) -> bool:
    """Whether the text has neither control characters nor what breaks lines as they do."""
    return _FORBIDDEN.search(text) is None


class Health(Struct, frozen=True):
    """The process is there."""

    status: Literal["ok"]


class Readiness(Struct, frozen=True, omit_defaults=True):
    """It can do its work; perhaps not as well as with all that it should have."""

    status: Literal["ok", "degraded"]
    degraded: Annotated[dict[str, str], Meta(description="What it does without for now, and why.")] = {}


@lru_cache(maxsize=1024)  # an answer and two events tell the same times
def timestamp(at: datetime) -> str:
    """The time as RFC 3339 in UTC, always with microseconds, so that times of equal length sort as text."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"
