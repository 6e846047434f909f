"""An endpoint's lane: how many may be called at once, when nobody is called for a while, and when never again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.contexts.webhooks.domain.delivery import GONE, Result
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId

AT_ONCE: Final = 8
"""Calls of one endpoint under way at a time, over all senders."""
STRIKES: Final = 5
"""Calls in a row to which nobody answered, from which on there is one at a time, after a pause."""
MOST_STRIKES: Final = 1_000
LONGEST_PAUSE_S: Final = 30.0
GIVEN_UP_AFTER: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as it stands. `failing_since` is the first failure after the last success."""

    endpoint_id: EndpointId
    is_active: bool
    strikes: int = 0
    open_until: datetime | None = None
    failing_since: datetime | None = None

    @property
    def room(self) -> int:
        """How many calls may be under way at a time."""
        return AT_ONCE if self.strikes < STRIKES else 1

    def after(self, results: Iterable[Result], now: datetime) -> tuple["Lane", Reason | None]:
        """The lane after calls that came to this, in that order; and why it is to be disabled, if it is."""
        lane, reason = self, None
        for result in results:
            lane = lane._struck(now) if result.is_strike else replace(lane, strikes=0, open_until=None)
            if result.is_success:
                lane, reason = replace(lane, failing_since=None), None
                continue
            lane = replace(lane, failing_since=lane.failing_since or now)
            if result.status == GONE:
                reason = Reason.GONE
        if reason is None and lane.failing_since is not None and now - lane.failing_since >= GIVEN_UP_AFTER:
            reason = Reason.FAILING
        return lane, reason if self.is_active else None

    def _struck(self, now: datetime) -> "Lane":
        strikes = min(self.strikes + 1, MOST_STRIKES)
        if strikes < STRIKES:
            return replace(self, strikes=strikes)
        pause_s = min(LONGEST_PAUSE_S, 2.0 ** min(strikes - STRIKES, 10))
        return replace(self, strikes=strikes, open_until=now + timedelta(seconds=pause_s))
