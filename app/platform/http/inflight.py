"""What is under way: waiting for it without ever cutting it off, and draining it when the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from app.kernel.errors import Unavailable
from app.kernel.refusals import Refusal
from app.platform.http.errors import log_unexpected

T = TypeVar("T")

CANCELLED_WITHIN_S = 1.0
PATIENCE_S = 0.25
"""How long past its time a request's own end is waited for, which says more than that time is up."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class InFlight:
    """The work of the requests that are being answered, and of those whose client was answered already."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._grace_ends: float | None = None
        self._is_over = False
        self._tasks: dict[asyncio.Task[Any], asyncio.Future[None] | None] = {}
        """Each with what is told when it is done, where somebody waits for that."""

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: it begins nothing new."""
        return self._grace_ends is not None

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin work that goes on to its end, whatever becomes of the request that asked for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._is_done)
        return task

    def go_on(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin work that nobody waits for: what comes behind an answer."""
        self.start(work).add_done_callback(_look_after)

    def _is_done(self, task: asyncio.Task[Any]) -> None:
        waiter = self._tasks.pop(task)
        if waiter is not None:
            _release(waiter)

    async def wait(self, task: asyncio.Task[T], until: float) -> bool:
        """Wait for the task until that time of the loop or the end of the grace; say whether it is done.

        One waits for it at a time. A task that is not is left to itself: what becomes of it is logged when it is a bug.
        """
        if not task.done() and not self._is_over:
            await self._wait(task, until)
        if not task.done():
            task.add_done_callback(_look_after)
        return task.done()

    async def _wait(self, task: asyncio.Task[Any], until: float) -> None:
        loop = asyncio.get_running_loop()
        self._tasks[task] = waiter = loop.create_future()
        timer = loop.call_at(until, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            if task in self._tasks:
                self._tasks[task] = None

    async def read(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """The result of work that leaves no trace, within the time.

        Raises:
            Unavailable: it took longer, or the process ends.
        """
        task = self.start(work)
        if await self.wait(task, asyncio.get_running_loop().time() + timeout_s):
            return task.result()
        task.cancel()
        raise self.not_done()

    async def write(self, work: Coroutine[Any, Any, T], until: float) -> T:
        """The result of work that may leave a trace, by that time of the loop.

        Neither that nor the client's leaving cuts it off half-way.

        Raises:
            Unavailable: it takes longer, and goes on; its key tells what became of it. Or the process ends.
        """
        if self.draining:
            work.close()
            raise self.not_done()
        task = self.start(work)
        if await self.wait(task, until + PATIENCE_S):
            return task.result()
        raise self.not_done()

    def not_done(self) -> Unavailable:
        """What whoever has waited for work that is not done, or not begun, is told."""
        return Unavailable("the process ends" if self.draining else "it takes longer than a request may")

    def begin_drain(self) -> None:
        """Begin nothing new from here on. At the end of the grace whoever still waits waits no more."""
        if self._grace_ends is None:
            loop = asyncio.get_running_loop()
            self._grace_ends = loop.time() + self._grace_s
            loop.call_at(self._grace_ends, self._end_grace)

    def _end_grace(self) -> None:
        self._is_over = True
        for waiter in self._tasks.values():
            if waiter is not None:
                _release(waiter)

    async def finish(self) -> None:
        """Wait for what is under way until the grace ends; give up on the rest, which recovery takes over."""
        self.begin_drain()
        assert self._grace_ends is not None
        if self._tasks:
            left_s = max(0.0, self._grace_ends - asyncio.get_running_loop().time())
            await asyncio.wait(self._tasks, timeout=left_s)
        if self._tasks:
            _log.warning("left_to_recovery", requests=len(self._tasks))
            left = list(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=CANCELLED_WITHIN_S)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _look_after(task: asyncio.Task[Any]) -> None:
    """Nobody waits for the task any more: its exception is looked at here."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Refusal | Unavailable):
        log_unexpected(error)
