"""How long that lasts which lets somebody in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MACHINE_TTL_S: Final = 3600
"""How long a machine's token lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """How long each lasts of what a log-in gives, in seconds."""

    access_s: float
    refresh_s: float
    """From the log-in on, however often it is renewed: the end of everything that came of it."""
    session_s: float
    grace_s: float
    """How long a spent refresh token still answers its successor."""

    def end_of_family(self, now: datetime) -> datetime:
        """When a log-in of now ends."""
        return now + timedelta(seconds=self.refresh_s)

    def end_of_session(self, now: datetime, family_ends_at: datetime) -> datetime:
        """When a session of now ends."""
        return min(now + timedelta(seconds=self.session_s), family_ends_at)

    def is_within_grace(self, spent_at: datetime, now: datetime) -> bool:
        """Whether a token that was spent then may be a repetition, not a thief's."""
        return now - spent_at <= timedelta(seconds=self.grace_s)
