"""Redis' buckets as long as Redis answers in time: who asks meanwhile does not wait for it, and does not notice."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from app.platform.limits.script import Ask
from app.platform.process.quotas import Quota
from app.platform.process.waiting import in_time, pause

LIMIT_S = 0.1
"""Longer no request waits for Redis: then its process goes on by itself."""
LEAST_S = 0.05
"""An exchange gets as long, however long its requests have waited for the one before it."""
MOST_ASKS = 256
"""In one exchange; the rest goes with the next."""
LOOK_EVERY_S = 1.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
SETTLED_AFTER_S = 30.0
RETURN_LIMIT_S = 1.0
"""For connecting, too, which no request waits for."""
WARN_EVERY_S = 60.0
PROBE = Ask("strongbox:limit:probe", Quota(1000.0, 1000))
"""Whoever lets it take a token lets anybody: it reads and writes."""

_log = structlog.get_logger(__name__)


class Remote(Protocol):
    """Buckets somewhere else."""

    async def ask(self, asks: Sequence[Ask]) -> Sequence[int]:
        """For each in how many microseconds there is a token; 0 where it was let through, or given back."""
        ...

    async def close(self) -> None:
        """Hang up; the next call connects anew."""
        ...


class _Waiting(NamedTuple):
    ask: Ask
    since_s: float
    wait_us: "asyncio.Future[int | None]"


class SharedBuckets:
    """All processes' buckets, as long as they can be reached: what waits together goes together."""

    def __init__(self, remote: Remote, on_change: Callable[[bool], None], limit_s: float = LIMIT_S) -> None:
        self._remote, self._on_change, self._limit_s = remote, on_change, limit_s
        self._is_reachable = False
        self._queue: list[_Waiting] = []
        self._flight: asyncio.Task[None] | None = None
        self._pause_s, self._back_since_s, self._warned_at_s = FIRST_PAUSE_S, 0.0, float("-inf")
        self._why = "not asked yet"

    @property
    def is_reachable(self) -> bool:
        """Whether Redis is asked."""
        return self._is_reachable

    async def ask(self, ask: Ask) -> float | None:
        """In how many seconds there is a token, 0 where it was let through; None where Redis cannot say now."""
        if not self._is_reachable:
            return None
        loop = asyncio.get_running_loop()
        waiting = _Waiting(ask, loop.time(), loop.create_future())
        self._queue.append(waiting)
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        wait_us = await waiting.wait_us
        return None if wait_us is None else wait_us / 1e6

    async def open(self) -> None:
        """Ask Redis, if it is there."""
        await self._come_back()

    async def look(self, stop: asyncio.Event) -> None:
        """Until told to stop: see whether Redis is still there where nobody else asks it, or there again."""
        while not stop.is_set():
            if self._is_reachable:
                await self.ask(PROBE)
                await pause(LOOK_EVERY_S, stop)
            else:
                await pause(self._pause_s, stop)
                await self._come_back()

    async def close(self) -> None:
        """Hang up. Whoever still asks goes on alone."""
        self._is_reachable = False
        if self._flight is not None:
            await self._flight
        await self._remote.close()

    async def _fly(self) -> None:
        try:
            while self._queue and self._is_reachable:
                batch, self._queue = self._queue[:MOST_ASKS], self._queue[MOST_ASKS:]
                waited_s = asyncio.get_running_loop().time() - batch[0].since_s
                try:
                    waits = await self._within(max(self._limit_s - waited_s, LEAST_S), [one.ask for one in batch])
                except Exception as error:  # whatever it is, requests go on
                    self._queue = batch + self._queue
                    self._lose(error)
                else:
                    for one, wait_us in zip(batch, waits, strict=True):
                        _tell(one, wait_us)
        finally:
            self._flight = None
            left, self._queue = self._queue, []
            for one in left:
                _tell(one, None)

    async def _within(self, limit_s: float, asks: Sequence[Ask]) -> Sequence[int]:
        return await in_time(self._remote.ask(asks), limit_s)

    async def _come_back(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._within(RETURN_LIMIT_S, [PROBE])
        except Exception as error:
            self._why = type(error).__name__
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            self._warn()
        else:
            self._is_reachable, self._back_since_s = True, loop.time()
            self._on_change(True)  # noqa: FBT003
            _log.info("limits_shared")

    def _lose(self, error: Exception) -> None:
        self._is_reachable, self._why = False, type(error).__name__
        # One that answers for a moment only is left for longer each time.
        has_settled = asyncio.get_running_loop().time() - self._back_since_s > SETTLED_AFTER_S
        self._pause_s = FIRST_PAUSE_S if has_settled else min(self._pause_s * 2, LONGEST_PAUSE_S)
        self._on_change(False)  # noqa: FBT003
        self._warn()

    def _warn(self) -> None:
        """No text of the library's: addresses are in it."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._warned_at_s >= WARN_EVERY_S:
            self._warned_at_s = now_s
            _log.warning(
                "limits_by_process", why=self._why, hint="REDIS_URL: until it answers, each process counts alone"
            )


def _tell(waiting: _Waiting, wait_us: int | None) -> None:
    if not waiting.wait_us.done():  # who asked may have gone
        waiting.wait_us.set_result(wait_us)
