"""Who began to read after a write was answered never sees what was before it: at once in the process that wrote, soon
elsewhere, and soon after the heal where Redis or whoever wrote was in trouble meanwhile."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from tests.system.soak.faults import Fault
from tests.system.soak.fleet import APIS
from tests.system.soak.shelf import GONE, NOTHING, Read, Shelf, Thing, Write

ELSEWHERE_S: Final = 0.2
"""On a machine of one's own: elsewhere Redis may not answer within its 50 ms, which is a trouble as any."""
HEALED_S: Final = 2.0
ALONE: Final = APIS.index("api-1")
"""The API that is one process: what it wrote it reads itself."""
_TROUBLE: Final = ("redis", "postgres", "api", "recover")


def stale(shelf: Shelf, faults: Sequence[Fault], slower: float) -> Iterator[str]:
    """Reads of what was no more; `slower` is how many times as long anything takes that starts."""
    trouble = sorted((f.began, f.healed) for f in faults if _is_trouble(f))
    ends = sorted(f.struck for f in faults if f.kind in ("kill", "restart") and "api-1" in f.targets)
    elsewhere_s, healed_s = ELSEWHERE_S if slower == 1 else HEALED_S * slower, HEALED_S * slower
    for thing in shelf.things.values():
        everywhere = [(_known_at(write, trouble, elsewhere_s, healed_s), write.version) for write in thing.writes]
        yield from _behind(thing, thing.reads, everywhere)
        for began, ended in pairwise([0.0, *ends, float("inf")]):  # one process after the other
            own = [read for read in thing.reads if read.api == ALONE and began <= read.began < ended]
            written = [w for w in thing.writes if w.api == ALONE and began <= w.began and w.answered < ended]
            yield from _behind(thing, own, [(write.answered, write.version) for write in written])


def _is_trouble(fault: Fault) -> bool:
    return fault.kind in _TROUBLE or any(target.startswith(_TROUBLE) for target in fault.targets)


def _known_at(write: Write, trouble: Sequence[tuple[float, float]], elsewhere_s: float, healed_s: float) -> float:
    """When all know of it."""
    known_at = write.answered + elsewhere_s
    for began, healed in trouble:
        if began <= known_at and healed >= write.began:
            known_at = max(known_at, healed + healed_s)
    return known_at


def _behind(thing: Thing, reads: Sequence[Read], known: Sequence[tuple[float, int]]) -> Iterator[str]:
    """Those of the reads that saw an older version than was known when they began."""
    known = sorted(known)
    times = [at for at, _ in known]
    least = [NOTHING, *accumulate((version for _, version in known), max)]
    for read in reads:
        count = bisect_right(times, read.began)
        if read.version < least[count]:
            since_s = read.began - next(at for at, version in known if version > read.version)
            yield (
                f"product {thing.id}: a {read.how} at api-{read.api + 1} showed {_told(read.version)}, {since_s:.3f} s"
                f" after all were to see {_told(least[count])}"
            )


def _told(version: int) -> str:
    return {GONE: "it gone", NOTHING: "nothing"}.get(version, f"version {version}")
