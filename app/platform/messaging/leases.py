"""Leases: which partitions of the outbox one relay may publish, and until when.

A lease has an epoch, which rises with each change of hands: what a former owner still wants to record bears an old one,
and is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from app.kernel.errors import Unavailable
from app.platform.messaging.ports import Outbox, OutboxMessage
from app.platform.process.rounds import Rounds

# A lease that ends later than this from now counts as over, as after a clock that went back: a longer one of another
# version would, too.
LEASE_TTL_S: Final = 9.0
LEASE_RENEW_S: Final = 1.5
# Nothing is published on a lease with less than this left, so that no publish outlives its lease. It has to exceed the
# few seconds in which a publisher answers.
LEASE_MARGIN_S: Final = 4.5

_log = structlog.get_logger(__name__)


class LeaseHolder:
    """The partitions that `owner` has.

    `clock` is monotonic, in seconds. `finished` waits until nothing of some partitions is under way any more: not
    before then are they handed over.
    """

    def __init__(
        self,
        outbox: Outbox,
        owner: str,
        clock: Callable[[], float],
        finished: Callable[[Collection[int]], Awaitable[None]],
    ) -> None:
        self._outbox = outbox
        self._owner = owner
        self._clock = clock
        self._finished = finished
        self._held: set[int] = set()
        self._epochs: dict[int, int] = {}
        self._usable_until = 0.0
        self._ask_again = asyncio.Event()

    @property
    def epochs(self) -> Mapping[int, int]:
        """The epoch of each partition that may be published."""
        return self._epochs

    @property
    def usable(self) -> bool:
        """Whether they last long enough to publish something more."""
        return self._clock() < self._usable_until

    def still_ours(self, messages: Sequence[OutboxMessage], epochs: Mapping[int, int]) -> list[OutboxMessage]:
        """Without those of partitions that were handed over or lost meanwhile: another relay may publish them now."""
        return [message for message in messages if self._epochs.get(message.partition) == epochs[message.partition]]

    def lost(self, partitions: Collection[int]) -> None:
        """Another relay has one of them: publish none until it is known which, which is asked at once.

        They stay among those that are held, or their leases would have to run out first.
        """
        for partition in partitions:
            self._epochs.pop(partition, None)
        self._ask_again.set()

    async def keep(self, stop: asyncio.Event) -> None:
        """Renew them until told to stop."""
        stopped = asyncio.create_task(stop.wait())
        rounds = Rounds("leases")
        try:
            while not stop.is_set():
                self._ask_again.clear()
                with rounds.survived():
                    await self.renew()
                again = asyncio.create_task(self._ask_again.wait())
                try:
                    await asyncio.wait(
                        {stopped, again}, timeout=rounds.wait_s(LEASE_RENEW_S), return_when="FIRST_COMPLETED"
                    )
                finally:
                    again.cancel()
        finally:
            stopped.cancel()

    async def renew(self) -> None:
        """Ask for a fair share of the partitions; those beyond it are handed over.

        Raises:
            Unavailable: the database does not answer; they are what they were.
        """
        asked_at = self._clock()
        leases = await self._outbox.lease(self._owner, self._held, LEASE_TTL_S)
        if leases.epochs.keys() != self._held:
            _log.info("partitions_leased", owner=self._owner, partitions=sorted(leases.epochs))
        self._held, self._epochs = set(leases.epochs), dict(leases.epochs)
        self._usable_until = asked_at + LEASE_TTL_S - LEASE_MARGIN_S
        surplus = sorted(self._epochs)[leases.share :]
        if surplus:
            await self.hand_over(surplus)

    async def hand_over(self, partitions: Sequence[int]) -> None:
        """Begin nothing more of the partitions, let what is under way come to its end, and give them up.

        Raises:
            Unavailable: the database does not answer; their leases will run out.
        """
        for partition in partitions:
            self._held.discard(partition)
            self._epochs.pop(partition, None)
        await self._finished(partitions)
        await self._outbox.release(self._owner, partitions)
        _log.info("partitions_handed_over", owner=self._owner, partitions=list(partitions))

    async def give_up(self) -> None:
        """Give all of them up, for others to take at once. Those that cannot be given up now run out."""
        with suppress(Unavailable):
            await self._outbox.release(self._owner, self._held)
