"""Calls of the gateway that are tried again: by the breaker, within their time, and each told of when it is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from app.contexts.payments.adapters.gateway.exchange import AttemptFailedError
from app.contexts.payments.domain.outcome import FailureCode, NotSent, Unknown
from app.platform.outgoing.breaker import Breaker

T = TypeVar("T")
Observer = Callable[[str, str, list[str], float], None]
"""Told of every finished call: operation, outcome, how each of its attempts ended, seconds taken.

An attempt ends `answered`, or without an outcome: `error` (the gateway answered all the same), `timeout`, or `unsent`.
"""

# A question or a void is repeated once within its time: enough for an idle connection that died under it.
_ASKS: Final = 2
_backoff = wait_random_exponential(multiplier=0.1, max=1.0)


class Persistence:
    """How often and how long the gateway is asked for the same; times are in seconds."""

    def __init__(self, timeout_s: float, attempts: int, observe: Observer | None) -> None:
        self.timeout_s = timeout_s
        self._attempts = attempts
        self._observe = observe

    async def persist(self, attempt: Callable[[], Awaitable[T]], until: float, breaker: Breaker) -> T:
        """Make the attempt, and more while that helps. tenacity, 60 µs a call, is told of failures only.

        Raises:
            AttemptFailedError: the last of them failed.
            BreakerOpenError: the breaker lets no more be made.
        """
        try:
            return await breaker.call(attempt, until)
        except AttemptFailedError as error:
            first = [error]

        async def again() -> T:
            if first:
                raise first.pop()  # so that it counts, and its Retry-After does
            return await breaker.call(attempt, until)

        now = asyncio.get_running_loop().time()
        return await _retrying(self._attempts, until - self.timeout_s - now)(again)

    async def repeated(self, operation: str, call: Callable[[float], Awaitable[T]], deadline: float) -> T | Unknown:
        """Make a call by the time that it is given, within `timeout_s` and the deadline, and once more if it fails. No
        breaker has a say in it.
        """
        started = asyncio.get_running_loop().time()
        until = min(started + self.timeout_s, deadline)
        failures: list[AttemptFailedError] = []

        async def once() -> T:
            return await noting(failures, call(until))

        outcome: T | Unknown
        try:
            outcome = await _retrying(_ASKS, until - started)(once)
        except AttemptFailedError:
            outcome = Unknown(why(failures))
        self.tell(operation, outcome, failures, started)
        return outcome

    def tell(self, operation: str, outcome: object, failures: list[AttemptFailedError], started: float) -> None:
        """Tell of a call that began then, and is over."""
        if self._observe:
            attempts = [_end_of(failure) for failure in failures]
            if not isinstance(outcome, NotSent | Unknown):
                attempts.append("answered")
            elapsed_s = asyncio.get_running_loop().time() - started
            self._observe(operation, type(outcome).__name__, attempts, elapsed_s)


async def noting(failures: list[AttemptFailedError], call: Awaitable[T]) -> T:
    """The call's result; its failure is noted."""
    try:
        return await call
    except AttemptFailedError as failure:
        failures.append(failure)
        raise


def why(failures: list[AttemptFailedError]) -> FailureCode:
    """What the failures say of the gateway, all of them together."""
    answered = any(failure.why is FailureCode.GATEWAY_ERROR for failure in failures)
    return FailureCode.GATEWAY_ERROR if answered else FailureCode.GATEWAY_TIMEOUT


def _end_of(failure: AttemptFailedError) -> str:
    if not failure.sent:
        return "unsent"
    return "error" if failure.why is FailureCode.GATEWAY_ERROR else "timeout"


def _retrying(attempts: int, begin_within_s: float) -> AsyncRetrying:
    return AsyncRetrying(
        stop=stop_after_attempt(attempts) | stop_before_delay(begin_within_s),
        wait=_wait_s,
        retry=retry_if_exception_type(AttemptFailedError),
        sleep=asyncio.sleep,
        reraise=True,
    )


def _wait_s(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, AttemptFailedError) else 0
    return max(_backoff(state), asked_s)
