"""The steps in Redis, each at once. `strongbox:cache:RUN:v:TENANT:KEY` is a value, `…:l:TENANT:KEY` its lease."""

import hashlib
from typing import Final, NamedTuple


class Script:
    """A script, and the name by which a Redis that has seen it knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Call(NamedTuple):
    """A script with its keys, which are put behind the prefix of the server's run, and its arguments."""

    script: Script
    keys: tuple[str, ...]
    arguments: tuple[str | bytes | int, ...]


# pcall, as a Redis that is full, or has something of somebody else's there, refuses a command: then there is nothing.
LOOK: Final = Script("""
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'string' then
    return {value, redis.call('PTTL', KEYS[1])}
end
local taken = redis.pcall('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return {false, (type(taken) == 'table' and taken.ok) and 1 or 0}
""")
"""Value and milliseconds left; without one nil, and 1 where the lease was taken."""

TAKE_LEASE: Final = Script("""
local taken = redis.pcall('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return (type(taken) == 'table' and taken.ok) and 1 or 0
""")

PUT: Final = Script("""
if redis.pcall('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
local done = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if not done.ok then
    return -1
end
redis.call('DEL', KEYS[2]) -- behind it: a script that has written is let go past maxmemory
return 1
""")
"""1 where it is kept, `LATE` where the lease is gone, -1 where there is no room."""
LATE: Final = 0

DELETE: Final = Script("""
local removed = 0
for i = 1, #KEYS, 2 do
    removed = removed + redis.call('DEL', KEYS[i])
    redis.call('DEL', KEYS[i + 1])
end
if ARGV[1] ~= '' then
    redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return removed
""")
"""Keys are values, each with its lease behind it; where there is no channel nobody is told."""

SWEEP: Final = Script("""
local found = redis.call('SCAN', ARGV[1], 'MATCH', KEYS[1], 'COUNT', 1000)
local removed = 0
for _, key in ipairs(found[2]) do
    removed = removed + redis.call('DEL', key)
end
return {found[1], removed}
""")
"""Where to go on, "0" at the end, and how many there were of those that match."""

PUBLISH: Final = Script("return redis.call('PUBLISH', ARGV[1], ARGV[2])")

MEMORY: Final = Script("return redis.call('INFO', 'memory')")
