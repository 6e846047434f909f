"""`python -m tests.platform.taking URL KEY LASTS_S QUOTA…`: takes as fast as it can, and writes how many tokens it got.

It begins when it is told to, by anything on its standard input.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from app.platform.limits.limiter import LimitMetrics, TokenBuckets
from app.platform.limits.redis_buckets import RedisBuckets
from app.platform.limits.shared import SharedBuckets
from app.platform.process.quotas import quota
from app.platform.process.redis_urls import redis_place

PATIENCE_S = 60.0
"""A machine that is busy is no Redis that is away."""
TASKS = 5


def shared_buckets(url: str, told: list[bool], limit_s: float = PATIENCE_S) -> SharedBuckets:
    """Buckets in the Redis of the URL; `told` gets whether it is there, each time that changes."""
    return SharedBuckets(RedisBuckets(redis_place(url)), told.append, limit_s)


async def take(url: str, key: str, lasts_s: float, quotas: Sequence[str]) -> Sequence[int]:
    """How many tokens several tasks get out of one bucket of each quota together."""
    told: list[bool] = []
    shared = shared_buckets(url, told)
    await shared.open()
    await asyncio.to_thread(sys.stdin.readline)
    ends_at = time.monotonic() + lasts_s

    async def got(text: str) -> int:
        limits = TokenBuckets({"ip": quota(text)}, LimitMetrics(CollectorRegistry(), is_shared=True), shared)
        passed = 0
        while time.monotonic() < ends_at:
            passed += await limits.take("ip", f"{key} {text}") is None
        return passed

    passed = await asyncio.gather(*(got(text) for text in quotas for _ in range(TASKS)))
    await shared.close()
    assert told == [True], "Redis was there all the time"
    return [sum(passed[number * TASKS : (number + 1) * TASKS]) for number in range(len(quotas))]


if __name__ == "__main__":
    url, key, lasts_s, *quotas = sys.argv[1:]
    passed = asyncio.run(take(url, key, float(lasts_s), quotas))
    sys.stderr.write(" ".join(map(str, passed)))
