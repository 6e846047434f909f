"""Finish the payments that a death, or a silent gateway, left PENDING."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from app.contexts.payments.application.resolve import Resolving
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment
from app.platform.process.rounds import Rounds

Observer = Callable[[Payment, Answered | StillPending | Exception], None]


class PendingPayments(Protocol):
    """Payments that nobody finished."""

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """Lease up to `limit` payments that are PENDING for longer than `older_than_s`, the longest waiting first.

        Nobody else gets them within `lease_s`. Ages and leases go by the database's clock.
        """
        ...


class Recover:
    """A recovery worker. Any number of them may run: a lease keeps them from asking about the same payment at once,
    and the rules of settling keep them right when they do.
    """

    def __init__(
        self,
        pending: PendingPayments,
        resolve: Resolving,
        *,
        older_than_s: float,
        every_s: float,
        attempt_s: float,
        concurrency: int,
        observe: Observer,
    ) -> None:
        self._pending = pending
        self._resolve = resolve
        self._older_than_s = older_than_s
        self._every_s = every_s
        self._attempt_s = attempt_s
        self._concurrency = concurrency
        self._observe = observe
        self._rounds = Rounds("recovery")

    async def run(self, stop: asyncio.Event) -> None:
        """Recover until `stop` is set; what is under way by then is finished.

        A database out of reach is waited for, and so is one that does not let payments be looked for.
        """
        under_way: set[asyncio.Task[None]] = set()
        try:
            while not stop.is_set():
                room = self._concurrency - len(under_way)
                for payment in await self._take(room):
                    task = asyncio.create_task(self._recover(payment))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                pause_s = self._rounds.wait_s(self._every_s)
                await _pause(stop, pause_s, under_way if len(under_way) >= self._concurrency else None)
        finally:
            await asyncio.gather(*under_way)

    async def _take(self, room: int) -> list[Payment]:
        with self._rounds.survived():
            return list(await self._pending.take(room, self._older_than_s, self._attempt_s))
        return []

    async def _recover(self, payment: Payment) -> None:
        deadline = asyncio.get_running_loop().time() + self._attempt_s
        try:
            result: Answered | StillPending | Exception = await self._resolve(
                payment, FailureCode.GATEWAY_TIMEOUT, deadline
            )
        except Exception as error:  # one payment's trouble must not keep the others waiting
            result = error
        self._observe(payment, result)


async def _pause(stop: asyncio.Event, seconds: float, until_one_ends: set[asyncio.Task[None]] | None) -> None:
    """Wait for the next round, at once for the end; with all hands busy, for the first to be free."""
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopped, *(until_one_ends or ())}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
