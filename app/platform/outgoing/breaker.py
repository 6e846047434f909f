"""The circuit breaker: aiobreaker behind the few things that it leaves to its user."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal, TypeVar, cast


@contextmanager
def _without_redis() -> Iterator[None]:
    """aiobreaker looks for redis-py, and that for OpenTelemetry: 10 MiB of each process, for a storage nobody uses."""
    if "redis" in sys.modules:
        yield
        return
    sys.modules["redis"] = None  # type: ignore[assignment] # what the import machinery takes for: not there
    try:
        yield
    finally:
        del sys.modules["redis"]


with _without_redis():
    from aiobreaker import CircuitBreaker, CircuitBreakerError

T = TypeVar("T")
BreakerState = Literal["closed", "open", "half_open"]


class BreakerOpenError(Exception):
    """The breaker refused the call: nothing was sent."""


class Breaker:
    """Opens after so many failures in a row; after `reset_s` seconds one call at a time tries again.

    aiobreaker counts, and knows the states. Its clock is the wall clock, which may be set back while the breaker is
    open, so it is told never to half-open by itself: that is done here, by the monotonic clock.
    """

    def __init__(
        self,
        failures: int,
        reset_s: float,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[BreakerState, BreakerState], None] = lambda _, __: None,
    ) -> None:
        """`tell` is told of each change: the state now, and the one before."""
        self._circuit = CircuitBreaker(fail_max=failures, timeout_duration=timedelta(days=365_000))
        self._reset_s = reset_s
        self._now = now
        self._tell = tell
        self._known: BreakerState = "closed"
        self._half_opens_at = 0.0
        self._trial = asyncio.Lock()

    @property
    def state(self) -> BreakerState:
        """The state now."""
        if self._known == "open" and self.remaining_s == 0:
            self._circuit.half_open()
            self._note_change()
        return self._known

    @property
    def remaining_s(self) -> float:
        """Seconds until an open breaker lets a call try."""
        return max(0.0, self._half_opens_at - self._now())

    async def call(self, attempt: Callable[[], Awaitable[T]], until: float) -> T:
        """Make the attempt; any `Exception` from it is a failure, a cancellation is neither failure nor success.

        Half-open, one attempt is made and the others wait for what it shows, until the loop's time `until`.

        Raises:
            BreakerOpenError: the attempt was not made.
        """
        if self.state == "half_open":
            try:
                async with asyncio.timeout_at(until):
                    await self._trial.acquire()
            except TimeoutError:
                raise BreakerOpenError from None
            try:
                # A trial that was cancelled showed nothing: then the next in line is the trial.
                if self.state == "half_open":
                    return await self._counted(attempt)
            finally:
                self._trial.release()
        if self.state == "open":
            raise BreakerOpenError
        return await self._counted(attempt)

    async def _counted(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return cast("T", await self._circuit.call_async(attempt))
        except CircuitBreakerError as error:
            # The failure that opens the breaker comes wrapped; a refusal wraps nothing.
            if error.__cause__ is None:
                raise BreakerOpenError from None
            raise error.__cause__  # noqa: B904 -- it is the cause, as it was
        finally:
            self._note_change()

    def _note_change(self) -> None:
        was, self._known = self._known, cast("BreakerState", self._circuit.current_state.name.lower())
        if was == self._known:
            return
        if self._known == "open":
            self._half_opens_at = self._now() + self._reset_s
        self._tell(self._known, was)
