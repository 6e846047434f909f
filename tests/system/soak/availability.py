"""How the service was while nothing ailed it, and how soon it came back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.system.soak.faults import Fault
from tests.system.soak.records import Call

BACK_WITHIN_S: Final = 10.0
"""On a machine that starts its processes in time; see `Fleet.patience`."""
SHARE_UNANSWERED: Final = 0.05
"""The same: where others use the machine, too, as many more may have been told to come again."""
# What a call of a kind is to be told, when nothing is wrong. A racer may find another racer under way, a retry the
# first call of its key.
_EXPECTED: Final = {
    "pay": {"final"},
    "retry": {"final", "busy"},
    "race": {"final", "busy"},
    "other": {"reused"},
    "malformed": {"traceless"},
    "read": {"read"},
}


@dataclass(slots=True)
class Availability:
    """What was found; `unanswered` by what was answered instead."""

    calls_between: int
    unanswered: Counter[str]
    complaints: list[str]

    @property
    def share(self) -> float:
        """The share of the calls between faults that got the answer they were to get."""
        return 1 - self.unanswered.total() / self.calls_between if self.calls_between else 0.0


def measure(
    faults: Sequence[Fault], calls: Sequence[Call], back_within_s: float, share_unanswered: float
) -> Availability:
    """Look at the whole run, and note with each fault how soon it was over. One that took longer is complained of."""
    complaints: list[str] = []
    shadows: list[tuple[float, float]] = []
    for fault in faults:
        if fault.kind == "redis":  # that keeps nobody from being answered
            continue
        back_at = fault.healed
        for api in fault.apis:
            first = _first_success(calls, api, fault.healed)
            if first is None:
                if fault.hit:  # else there was no load, and the run is void
                    complaints.append(f"after {fault.name} no payment went through at api-{api + 1}")
                continue
            took_s = first - fault.healed - _overlap_s(fault, faults, first)
            fault.back_s, back_at = max(fault.back_s, took_s), max(back_at, first)
            if took_s > back_within_s:
                complaints.append(f"{took_s:.1f} s after {fault.name} the first payment went through at api-{api + 1}")
        shadows.append((fault.began, back_at))
    between = [call for call in calls if all(call.ended < begin or call.began > end for begin, end in shadows)]
    unanswered = Counter(call.code or call.meaning for call in between if call.meaning not in _EXPECTED[call.kind])
    found = Availability(len(between), unanswered, complaints)
    if between and found.share < 1 - share_unanswered:
        complaints.append(
            f"only {found.share:.1%} of {len(between)} calls between faults got their answer: {unanswered}"
        )
    return found


def _first_success(calls: Sequence[Call], api: int, since: float) -> float | None:
    """When the first payment went through that was begun since: a replay, or one begun before, proves nothing."""
    through = (c for c in calls if c.status == 201 and c.api == api and c.began >= since and not c.replayed)
    return min((call.ended for call in through), default=None)


def _overlap_s(fault: Fault, faults: Sequence[Fault], until: float) -> float:
    """For how long after this fault's heal another one was under way."""
    spans = sorted(_spans(fault, faults, until))
    total_s, covered = 0.0, fault.healed
    for begin, end in spans:
        total_s += max(0.0, end - max(begin, covered))
        covered = max(covered, end)
    return total_s


def _spans(fault: Fault, faults: Sequence[Fault], until: float) -> Iterator[tuple[float, float]]:
    for other in faults:
        if other is not fault and other.began < until and other.healed > fault.healed:
            yield max(other.began, fault.healed), min(other.healed, until)
