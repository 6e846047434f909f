"""The step in Redis: all that a batch asks of its buckets, at once and by Redis' clock."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from app.platform.process.quotas import Quota

SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local waits = {}
for i, key in ipairs(KEYS) do
    local rate, burst = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
    local tokens, seen = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
    tokens, seen = tonumber(tokens or burst), tonumber(seen or now)
    tokens = math.min(burst, tokens + math.max(0, now - seen) * rate / 1000000)
    local changed = seen > now -- the clock was set back: from now on it fills again
    waits[i] = 0
    if ARGV[3 * i] == 'give back' then
        changed = changed or tokens < burst
        tokens = math.min(burst, tokens + 1)
    elseif tokens >= 1 then
        tokens, changed = tokens - 1, true
    else
        waits[i] = math.ceil((1 - tokens) * 1000000 / rate)
    end
    if changed then
        local full = math.ceil((burst - tokens) * 1000 / rate) + 1000
        redis.call('SET', key, string.format('%.17g %.0f', tokens, now), 'PX', string.format('%.0f', full))
    end
end
return waits
"""
"""Answers for each key in how many microseconds there is a token; 0 where it was let through, or given back.

A bucket is kept as tokens and the time when they were counted, in microseconds; one that would be full by now is gone.
"""
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""By which a Redis that has seen it knows it."""


class Ask(NamedTuple):
    """What is asked of a bucket: a token, or to take one back."""

    key: str
    quota: Quota
    gives_back: bool = False


def words(asks: Sequence[Ask]) -> tuple[str, ...]:
    """Keys and arguments for the script, their number first."""
    arguments = [
        word
        for ask in asks
        for word in (repr(ask.quota.rate), str(ask.quota.burst), "give back" if ask.gives_back else "take")
    ]
    return (str(len(asks)), *(ask.key for ask in asks), *arguments)
