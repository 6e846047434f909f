"""A process's own buckets: what holds where no other process is to be asked."""

import time
from collections import OrderedDict
from collections.abc import Callable

from app.platform.process.quotas import Quota

MOST = 50_000
"""Buckets that are kept: the one that was not asked for longest goes first, as it is the nearest to full."""


class OwnBuckets:
    """Buckets of one process, of a number that nobody can make larger."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._buckets = OrderedDict[str, tuple[float, float]]()
        """How many tokens, and when."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, quota: Quota) -> float:
        """Take a token; 0, or in how many seconds there will be one."""
        tokens, now = self._tokens(key, quota)
        if tokens < 1:
            return (1 - tokens) / quota.rate
        self._keep(key, tokens - 1, now)
        return 0.0

    def give_back(self, key: str, quota: Quota) -> None:
        """Put a token back, into a bucket that is not full."""
        tokens, now = self._tokens(key, quota)
        if key in self._buckets:
            self._keep(key, min(quota.burst, tokens + 1), now)

    def _tokens(self, key: str, quota: Quota) -> tuple[float, float]:
        now = self._clock()
        tokens, seen = self._buckets.get(key, (float(quota.burst), now))
        return min(quota.burst, tokens + (now - seen) * quota.rate), now

    def _keep(self, key: str, tokens: float, now: float) -> None:
        self._buckets[key] = (tokens, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
