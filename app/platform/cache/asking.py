"""Redis as long as it answers in time: who asks it meanwhile waits for 50 ms at the most, and never for its return."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import structlog

from app.platform.cache.remote import Away
from app.platform.cache.scripts import Call
from app.platform.outgoing.breaker import Breaker, BreakerState
from app.platform.process.waiting import in_time

LIMIT_S: Final = 0.05
"""Longer nobody waits for Redis."""
LEAST_S: Final = 0.01
"""An exchange gets as long, however long its calls have waited for the one before it."""
MOST_CALLS: Final = 256
"""In one exchange; the rest goes with the next."""
MOST_WAITING: Final = 10_000
"""More are not even asked."""
FAILURES: Final = 3
"""Exchanges in a row after which Redis is left alone."""
RESET_S: Final = 0.25
RETURN_LIMIT_S: Final = 1.0
"""For connecting, too, which nobody waits for."""
WARN_EVERY_S: Final = 60.0

_log = structlog.get_logger(__name__)


class Exchanging(Protocol):
    """Whoever has several calls answered at once."""

    async def exchange(self, calls: Sequence[Call]) -> Sequence[Any]:
        """What each answers."""
        ...

    async def close(self) -> None:
        """Hang up; the next exchange connects anew."""
        ...


class _Waiting(NamedTuple):
    call: Call
    since_s: float
    answer: "asyncio.Future[Any]"


class Asking:
    """What waits together goes together; behind a breaker, which only trials close, that nobody waits for."""

    def __init__(
        self, wire: Exchanging, limit_s: float = LIMIT_S, tell: Callable[[BreakerState], None] = lambda _: None
    ) -> None:
        """`tell` is told of each change of the breaker's."""
        self._wire, self._limit_s, self._tell = wire, limit_s, tell
        self._breaker = Breaker(FAILURES, RESET_S, tell=self._note)
        self._queue: list[_Waiting] = []
        self._flight: asyncio.Task[None] | None = None
        self._is_open = False
        self._why, self._warned_at_s = "", float("-inf")

    @property
    def state(self) -> BreakerState:
        """The breaker's."""
        return self._breaker.state

    def open(self) -> None:
        """From now on it is asked."""
        self._is_open = True

    async def close(self) -> None:
        """Hang up. Whoever still asks goes without."""
        self._is_open = False
        if self._flight is not None:
            await self._flight
        await self._wire.close()

    async def ask(self, call: Call, *, is_trial: bool = False) -> Any:
        """What it answers.

        Raises:
            Away: it does not, or is left alone for now; whoever makes a trial asks all the same.
        """
        return await self.begin(call, is_trial=is_trial)

    def begin(self, call: Call, *, is_trial: bool = False) -> "asyncio.Future[Any]":
        """Ask, and come back for the answer, or never."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        answer.add_done_callback(_seen)
        state = self._breaker.state
        if not self._is_open or len(self._queue) >= MOST_WAITING or (state != "closed" and not is_trial):
            answer.set_exception(Away())
        else:
            self._queue.append(_Waiting(call, loop.time(), answer))
            if self._flight is None:
                self._flight = loop.create_task(self._fly())
        return answer

    async def _fly(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue and self._is_open:
                await asyncio.sleep(0)  # whatever has come already goes along
                batch, self._queue = self._queue[:MOST_CALLS], self._queue[MOST_CALLS:]
                try:
                    answers = await self._breaker.call(partial(self._exchange, batch), loop.time())
                except Exception as error:  # whatever it is, those who wait go on
                    self._why = type(error).__name__
                    _fail(batch)
                    break
                for one, answer in zip(batch, answers, strict=True):
                    if not one.answer.done():  # who asked may have gone
                        one.answer.set_result(answer)
        finally:
            self._flight = None
            left, self._queue = self._queue, []
            _fail(left)

    async def _exchange(self, batch: Sequence[_Waiting]) -> Sequence[Any]:
        waited_s = asyncio.get_running_loop().time() - batch[0].since_s
        is_trial = self._breaker.state != "closed"
        limit_s = RETURN_LIMIT_S if is_trial else max(self._limit_s - waited_s, LEAST_S)
        return await in_time(self._wire.exchange([one.call for one in batch]), limit_s)

    def _note(self, state: BreakerState, _: BreakerState) -> None:
        self._tell(state)
        if state == "closed":
            _log.info("cache_shared")
        elif state == "open":
            self._warn()

    def _warn(self) -> None:
        """No text of the library's: addresses are in it."""
        now_s = time.monotonic()
        if now_s - self._warned_at_s >= WARN_EVERY_S:
            self._warned_at_s = now_s
            _log.warning("cache_away", why=self._why, hint="REDIS_URL: until it answers, all is read from the database")


def _fail(batch: Sequence[_Waiting]) -> None:
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(Away())


def _seen(answer: "asyncio.Future[Any]") -> None:
    if not answer.cancelled():
        answer.exception()
