"""How much is being paid, lately: what became of requests, in short slots of time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from app.contexts.payments.domain.payment import Status

SLOT_S: Final = 2
SLOTS: Final = 150
"""Five minutes of slots."""
LATELY_SLOTS: Final = 5
"""Of so many slots the rate is told."""


class Result(StrEnum):
    """What became of a request to pay. REFUSED: the wallet did not hold enough."""

    APPROVED = Status.APPROVED.value
    DECLINED = Status.DECLINED.value
    FAILED = Status.FAILED.value
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Beat:
    """What ended in the slots from `first` to `last`, numbered from the epoch, and what is not at its end yet.

    `pending` are payments, `unsent` events of the outbox, each with the age of the oldest.
    """

    first: int
    last: int
    finished: Mapping[int, Mapping[Result, int]]
    pending: int
    oldest_pending_s: float
    unsent: int
    oldest_unsent_s: float


class Pulse(Protocol):
    """Looks at what has just ended."""

    async def beat(self, after: int | None, slots: int) -> Beat:
        """The complete slots behind `after`, `slots` of them at the most; fewer where too much has happened in them.

        Raises:
            Unavailable: the books are out of reach.
        """
        ...


@dataclass(slots=True)
class History:
    """The slots of the last minutes that were seen."""

    last: int | None = None
    _slots: dict[int, Mapping[Result, int]] = field(default_factory=dict)

    def add(self, beat: Beat) -> None:
        """Take a beat in, and forget what is too old."""
        self._slots.update({number: beat.finished.get(number, {}) for number in range(beat.first, beat.last + 1)})
        self.last = beat.last
        for number in [number for number in self._slots if number <= beat.last - SLOTS]:
            del self._slots[number]

    def bars(self) -> Iterator[Mapping[Result, int] | None]:
        """Every slot, the oldest first; None for those that were not seen."""
        if self.last is None:
            return
        for number in range(self.last - SLOTS + 1, self.last + 1):
            yield self._slots.get(number)

    def totals(self) -> Counter[Result]:
        """How many requests had which result."""
        totals: Counter[Result] = Counter()
        for slot in self._slots.values():
            totals.update(slot)
        return totals

    @property
    def payments_per_s(self) -> float:
        """Payments that became final a second, over the last seconds; refused requests are none."""
        if self.last is None:
            return 0.0
        lately = [self._slots[n] for n in range(self.last - LATELY_SLOTS + 1, self.last + 1) if n in self._slots]
        return sum(payments_of(slot) for slot in lately) / (SLOT_S * max(len(lately), 1))

    @property
    def approved_share(self) -> float | None:
        """Which share of the payments was approved; None without any."""
        totals = self.totals()
        payments = payments_of(totals)
        return totals[Result.APPROVED] / payments if payments else None


def payments_of(slot: Mapping[Result, int]) -> int:
    """How many payments became final in the slot."""
    return sum(count for result, count in slot.items() if result is not Result.REFUSED)
