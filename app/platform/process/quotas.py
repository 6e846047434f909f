"""How much a bucket holds, and how fast it fills: `TOKENS_PER_SECOND:BURST`, or off."""

import re
from math import ceil
from typing import Annotated, NamedTuple

from msgspec import Meta

_QUOTA = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?):([0-9]{1,6})")
OFF = "off"
LONGEST_WINDOW_S = 7 * 86_400
"""A bucket takes no longer to be full: as long it is kept."""


class Quota(NamedTuple):
    """A bucket's."""

    rate: float
    """Tokens a second."""
    burst: int
    """Tokens that it holds."""

    @property
    def window_s(self) -> int:
        """As long as an empty one takes to be full, in whole seconds, rounded up."""
        return ceil(self.burst / self.rate)


def quota(text: str) -> Quota | None:
    """What the setting says; None where it is off.

    Raises:
        ValueError: it is none; the message begins with the verb.
    """
    if text == OFF:
        return None
    given = _QUOTA.fullmatch(text)
    rate, burst = (float(given[1]), int(given[2])) if given else (0.0, 0)
    if not rate or not burst:
        raise ValueError("is not TOKENS_PER_SECOND:BURST, like 0.2:10, both above 0 and below 1000000, nor off")
    if burst / rate > LONGEST_WINDOW_S:
        raise ValueError("takes more than a week to fill a bucket")
    return Quota(rate, burst)


def quota_text(text: str) -> str:
    """The same.

    Raises:
        ValueError: it is no quota; the message begins with the verb.
    """
    quota(text)
    return text


QuotaText = Annotated[str, Meta(extra={"check": quota_text})]
