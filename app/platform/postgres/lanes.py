"""Batches: commands that arrive while a batch is under way make up the next one.

There is no timer and no added wait: a quiet lane runs a command at once, a busy one shares its transactions, its round
trips and its commits among all who wait. Every command gets a result of its own, whatever happens to its batch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from app.kernel.errors import Unavailable
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.pool import lock_patience_ms

C = TypeVar("C")
R = TypeVar("R")

STALLED_AFTER_S = 2.0
"""A lane whose batch takes longer than this takes no new commands until it is through."""

SEARCH_LOCK_TIMEOUT_MS = 50
"""How long a part of a batch waits for a lock while the command at fault is looked for."""

MEND_S = 2.0
"""How long a lane that lost its connection waits for the pool to look at the others."""

ASIDE_S = 10.0
"""How long a user whose rows someone else held keeps to the lane aside."""

BatchObserver = Callable[[int, float], None]
"""Told of each batch when it is through: its commands, and the seconds it took."""


def unobserved(_commands: int, _elapsed_s: float) -> None:
    """Nobody wants to know."""


class HeldElsewhere(Unavailable):
    """Someone else holds what the command needs locked."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[C, R]):
    command: C
    result: "asyncio.Future[R]"
    deadline: float


class Lane(Generic[C, R]):
    """Runs commands in batches, one batch at a time.

    A batch that meets a conflict runs again once, one that loses its connection too (its commands carry their ids:
    run again they find what they did). One that fails otherwise is halved until the command at fault is alone.
    """

    def __init__(
        self,
        run: Callable[[Sequence[C]], Awaitable[Sequence[R]]],
        *,
        size: int,
        queue_limit: int,
        on_lost: Callable[[], Awaitable[None]],
        observe: BatchObserver = unobserved,
    ) -> None:
        self._run = run
        self._size = size
        self._queue_limit = queue_limit
        self._on_lost = on_lost
        self._observe = observe
        self._queue: deque[_Waiting[C, R]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._began_at: float | None = None

    @property
    def waiting(self) -> int:
        """How many commands wait for their batch to begin."""
        return len(self._queue)

    async def submit(self, command: C, deadline: float = float("inf")) -> R:
        """Run the command in the next batch.

        A command whose caller has gone, or whose deadline (a time of the event loop) has come, before its batch
        began is dropped. One that has begun is never cancelled.

        Raises:
            Unavailable: the queue is full, the deadline came first, or the database does not take the work now.
        """
        loop = asyncio.get_running_loop()
        if len(self._queue) >= self._queue_limit:
            raise Unavailable("too many requests are waiting")
        if self._began_at is not None and loop.time() - self._began_at > STALLED_AFTER_S:
            raise Unavailable("the database does not answer")
        waiting: _Waiting[C, R] = _Waiting(command, loop.create_future(), deadline)
        self._queue.append(waiting)
        if self._worker is None:
            # Its batches are nobody's: what is logged of them has not the first one's request id.
            self._worker = loop.create_task(self._work(), context=Context())
        return await waiting.result

    async def drain(self) -> None:
        """Wait until everything submitted has its result."""
        while self._worker is not None:
            await asyncio.wait({self._worker})

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                await asyncio.sleep(0)  # whatever has arrived already is read first, and comes along
                batch = [self._queue.popleft() for _ in range(min(self._size, len(self._queue)))]
                self._began_at = began_at = loop.time()
                await self._attempt(batch)
                self._observe(len(batch), loop.time() - began_at)
                self._began_at = None
        finally:
            self._began_at = None
            self._worker = None

    async def _attempt(
        self, batch: Sequence[_Waiting[C, R]], *, again: bool = True, lost: Exception | None = None
    ) -> None:
        """Run the batch. Where a connection was `lost` before, what failed may have happened then: whatever comes now,
        that is the cause of the failure."""
        batch = _still_wanted(batch, lost)
        if not batch:
            return
        try:
            results = await self._run([waiting.command for waiting in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(batch)} commands got {len(results)} results")
        except Exception as error:
            await self._failed(batch, error, again, lost)
            return
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.result.done():
                waiting.result.set_result(result)

    async def _mend(self) -> None:
        """Let the pool look at its connections: a help, no condition, and not waited for without end."""
        mending = asyncio.ensure_future(self._on_lost())
        mending.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.wait({mending}, timeout=MEND_S)

    async def _failed(
        self, batch: Sequence[_Waiting[C, R]], error: Exception, again: bool, lost: Exception | None
    ) -> None:
        found = fault(error)
        if found is Fault.LOST and again:
            await self._mend()
            return await self._attempt(batch, again=False, lost=error)
        if found is Fault.CONFLICT and again:
            return await self._attempt(batch, again=False)
        if found in (Fault.LOST, Fault.AWAY):
            return _fail(batch, Unavailable, lost or error)
        if len(batch) == 1:
            as_ = _ALONE.get(found)
            return _fail(batch, as_, error if lost is None or as_ is None else lost)
        # Whoever is held up has had its wait: the search for it must not hold up the others as long again.
        patience = lock_patience_ms.set(SEARCH_LOCK_TIMEOUT_MS)
        half = len(batch) // 2
        await self._attempt(batch[:half], lost=lost)
        await self._attempt(batch[half:], lost=lost)
        lock_patience_ms.reset(patience)
        return None


class Lanes(Generic[C, R]):
    """A lane, and one aside, for users whose rows someone else holds: for a while they wait for one another only."""

    def __init__(self, user_of: Callable[[C], UUID], lane: Lane[C, R], aside: Lane[C, R]) -> None:
        self._user_of = user_of
        self._lane = lane
        self._aside = aside
        self._aside_until: dict[UUID, float] = {}

    @property
    def waiting(self) -> int:
        """How many commands wait for their batch to begin."""
        return self._lane.waiting + self._aside.waiting

    async def submit(self, command: C, deadline: float = float("inf")) -> R:
        """Run the command in its user's lane; see `Lane.submit`."""
        user = self._user_of(command)
        try:
            return await self._lane_of(user).submit(command, deadline)
        except HeldElsewhere:
            now = asyncio.get_running_loop().time()
            self._aside_until = {u: until for u, until in self._aside_until.items() if until > now}
            self._aside_until[user] = now + ASIDE_S
            raise

    def _lane_of(self, user: UUID) -> Lane[C, R]:
        until = self._aside_until.get(user)
        if until is not None and until > asyncio.get_running_loop().time():
            return self._aside
        return self._lane

    async def drain(self) -> None:
        """Wait until everything submitted has its result."""
        for lane in (self._lane, self._aside):
            await lane.drain()


class Drained(Protocol):
    """Finishes what it has begun; see `Lane.drain`."""

    async def drain(self) -> None: ...


@asynccontextmanager
async def drained(lanes: Mapping[str, Drained]) -> AsyncIterator[None]:
    """At the end the lanes' commands are finished."""
    async with AsyncExitStack() as stack:
        for each in lanes.values():
            stack.push_async_callback(each.drain)
        yield


def _still_wanted(batch: Sequence[_Waiting[C, R]], lost: Exception | None) -> Sequence[_Waiting[C, R]]:
    now = asyncio.get_running_loop().time()
    wanted = []
    for waiting in batch:
        if waiting.result.done():
            continue
        if waiting.deadline <= now:
            late = Unavailable("the request's time was over before its turn came")
            late.__cause__ = lost
            waiting.result.set_exception(late)
        else:
            wanted.append(waiting)
    return wanted


_ALONE = {Fault.BUSY: HeldElsewhere, Fault.CONFLICT: Unavailable}


def _fail(batch: Sequence[_Waiting[C, R]], as_: type[Unavailable] | None, error: Exception) -> None:
    """Answer every command with an exception of its own: `as_`, caused by the error, or the error itself."""
    for waiting in batch:
        if waiting.result.done():
            continue
        failure = error if as_ is None else as_(type(error).__name__)
        if as_ is not None:
            failure.__cause__ = error
        waiting.result.set_exception(failure)
