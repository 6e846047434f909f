"""Level 1: what a process keeps itself, bounded in bytes, and how it knows that what it is about to keep is not old."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from sys import getsizeof
from typing import Final, NamedTuple

Place = tuple[int, str]
"""Where something is kept: the tenant's number, and the key. Numbers, as the hash of a UUID takes a call."""

STRIPES: Final = 1024
"""Places that share one are taken for changed together: which costs a load, and nothing else."""
OVERHEAD: Final = 400
"""Bytes of an entry beside its key and its value, as `tracemalloc` has them: what holds it grows by doubling."""
LARGEST_PART: Final = 8
"""A value that would take more than this part of the room is not kept."""


class _Entry(NamedTuple):
    value: bytes
    ends_at: float
    size: int


class InProcess:
    """Values as they are sent to Redis: what they take is known, and nobody can change one for others."""

    def __init__(self, most_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most_bytes, now
        self._entries = OrderedDict[Place, _Entry]()
        self._generations = [0] * STRIPES
        self.bytes, self.evictions = 0, 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def has_room(self) -> bool:
        """Whether it may keep anything."""
        return self._most > 0

    def generation(self, place: Place) -> int:
        """What moves with everything that may have changed the place: looked at before anything is read for it."""
        return self._generations[hash(place) % STRIPES]

    def get(self, place: Place) -> bytes | None:
        """What is kept there."""
        entry = self._entries.get(place)
        if entry is None:
            return None
        if entry.ends_at <= self._now():
            self._drop(place)
            return None
        self._entries.move_to_end(place)
        return entry.value

    def put(self, place: Place, value: bytes, ttl_s: float, generation: int) -> bool:
        """Keep it, unless the place has changed since that generation: then it may be old, and comes too late. Whether
        it came in time.
        """
        if self.generation(place) != generation:
            return False
        self._drop(place)
        size = OVERHEAD + getsizeof(place[1]) + getsizeof(value)
        if size * LARGEST_PART > self._most:
            return True
        self._entries[place] = _Entry(value, self._now() + ttl_s, size)
        self.bytes += size
        while self.bytes > self._most:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.size
            self.evictions += 1
        return True

    def forget(self, places: Collection[Place]) -> None:
        """They have changed, whether they are kept or about to be."""
        for place in places:
            self._generations[hash(place) % STRIPES] += 1
            self._drop(place)

    def forget_matching(self, tenant: int, patterns: Collection[str]) -> None:
        """All of the tenant's that match have changed, those among them that are about to be kept."""
        self._generations = [generation + 1 for generation in self._generations]
        like = [pattern.split("*") for pattern in patterns]
        for place in [each for each in self._entries if each[0] == tenant and any(_fits(each[1], of) for of in like)]:
            self._drop(place)

    def clear(self) -> None:
        """Anything may have changed."""
        self._generations = [generation + 1 for generation in self._generations]
        self._entries.clear()
        self.bytes = 0

    def _drop(self, place: Place) -> None:
        entry = self._entries.pop(place, None)
        if entry is not None:
            self.bytes -= entry.size


def _fits(key: str, pieces: Sequence[str]) -> bool:
    """Whether the key is these pieces with anything between them.

    No regular expression: with many pieces one that does not fit takes it time that doubles with each, and the whole
    process waits.
    """
    first, *between = pieces
    if not between:
        return key == first
    last, at = between.pop(), len(first)
    for piece in between:
        found = key.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)  # as early as it can be: whatever fits behind a later one fits behind this, too
    return key.startswith(first) and key.endswith(last) and at + len(last) <= len(key)
