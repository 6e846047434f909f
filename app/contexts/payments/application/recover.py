"""Finish the payments, and the refunds, that a death, or a silent gateway, left PENDING."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from app.contexts.payments.domain.outcome import FailureCode
from app.platform.process.rounds import Rounds

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
R = TypeVar("R")


class Pending(Protocol[P_co]):
    """Payments, or refunds, that nobody finished."""

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[P_co]:
        """Lease up to `limit` of those that are PENDING for longer than `older_than_s`, the longest waiting first.

        Nobody else gets them within `lease_s`. Ages and leases go by the database's clock.
        """
        ...


class Recover(Generic[P, R]):
    """A recovery worker. Any number of them may run: a lease keeps them from asking about the same one at once, and the
    rules of settling keep them right when they do. `name` is what the log calls it.
    """

    def __init__(
        self,
        name: str,
        pending: Pending[P],
        resolve: Callable[[P, FailureCode, float], Awaitable[R]],
        *,
        older_than_s: float,
        every_s: float,
        attempt_s: float,
        concurrency: int,
        observe: Callable[[P, R | Exception], None],
    ) -> None:
        self._pending = pending
        self._resolve = resolve
        self._older_than_s = older_than_s
        self._every_s = every_s
        self._attempt_s = attempt_s
        self._concurrency = concurrency
        self._observe = observe
        self._rounds = Rounds(name)

    async def run(self, stop: asyncio.Event) -> None:
        """Recover until `stop` is set; what is under way by then is finished.

        A database out of reach is waited for, and so is one that does not let them be looked for.
        """
        under_way: set[asyncio.Task[None]] = set()
        try:
            while not stop.is_set():
                room = self._concurrency - len(under_way)
                for one in await self._take(room):
                    task = asyncio.create_task(self._recover(one))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                pause_s = self._rounds.wait_s(self._every_s)
                await _pause(stop, pause_s, under_way if len(under_way) >= self._concurrency else None)
        finally:
            await asyncio.gather(*under_way)

    async def _take(self, room: int) -> list[P]:
        with self._rounds.survived():
            return list(await self._pending.take(room, self._older_than_s, self._attempt_s))
        return []

    async def _recover(self, one: P) -> None:
        deadline = asyncio.get_running_loop().time() + self._attempt_s
        try:
            result: R | Exception = await self._resolve(one, FailureCode.GATEWAY_TIMEOUT, deadline)
        except Exception as error:  # one's trouble must not keep the others waiting
            result = error
        self._observe(one, result)


async def _pause(stop: asyncio.Event, seconds: float, until_one_ends: set[asyncio.Task[None]] | None) -> None:
    """Wait for the next round, at once for the end; with all hands busy, for the first to be free."""
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopped, *(until_one_ends or ())}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
