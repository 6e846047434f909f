"""The gateway as the use cases see it: bulkhead( retry( breaker( deadline( call )))).

The bulkhead's slot is taken by whoever brings the payment, before anything is claimed, and held to the end of its
calls. The breaker is inside the retry, so that a gateway that is down is called few times; the deadline is inside the
breaker, so that a gateway that is silent counts as down.

What counts as the gateway's failure: no connection, a reset, silence, 5xx, garbage, and also a 429. A gateway that
answers nothing but 429 is better left alone: a payment refused at the gate costs nobody anything, where one let in
would send it three charges, a question and a void. A 429 among good answers opens nothing: failures count in a row.
Declined and voided are good answers.

Asking and voiding pass by the breaker, in both directions: they must go on while it is open, since they are how an
unknown charge is ever settled, and they tell nothing about whether charges go through.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from app.contexts.payments.adapters.gateway.bulkhead import Bulkhead
from app.contexts.payments.adapters.gateway.client import AttemptFailedError, GatewayClient
from app.contexts.payments.domain.outcome import (
    Absent,
    Approved,
    Declined,
    FailureCode,
    Mismatched,
    NotSent,
    Unknown,
    Voided,
)
from app.contexts.payments.domain.payment import Payment
from app.platform.outgoing.breaker import Breaker, BreakerOpenError, BreakerState

T = TypeVar("T")
Observer = Callable[[str, str, list[str], float], None]
"""Told of every finished call: operation, outcome, how each of its attempts ended, seconds taken.

An attempt ends `answered`, or without an outcome: `error` (the gateway answered all the same), `timeout`, or `unsent`.
"""

_log = structlog.get_logger(__name__)

# A question or a void is repeated once within its time: enough for an idle connection that died under it.
_ASKS = 2
_backoff = wait_random_exponential(multiplier=0.1, max=1.0)


class ResilientGateway:
    """The ports Gateway and, as its `gate`, Gate. Built once a process; times are in seconds."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.AsyncBaseTransport,
        timeout_s: float,
        attempts: int,
        concurrency: int,
        breaker_failures: int,
        breaker_reset_s: float,
        finish_budget_s: float,
        observe: Observer | None = None,
    ) -> None:
        """Set up; nothing is opened before the first call.

        Args:
            base_url: where the gateway is, a path before `/charges` included.
            transport: what sends requests; closed with this.
            timeout_s: for one charge request in total, or for asking or voiding with its repetition.
            attempts: charge requests at most for one call of `charge`.
            concurrency: the bulkhead's slots.
            breaker_failures: failures in a row that open the breaker.
            breaker_reset_s: how long it stays open before a probe.
            finish_budget_s: what is left of the deadline of `charge` to ask, mark, void and settle.
            observe: told of every finished call.
        """
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._finish_budget_s = finish_budget_s
        self._observe = observe
        self._client = GatewayClient(base_url, transport)
        self._breaker = Breaker(breaker_failures, breaker_reset_s, tell=tell)
        self.gate = Bulkhead(concurrency, self._breaker)

    @property
    def breaker_state(self) -> BreakerState:
        """The breaker's state now, for metrics."""
        return self._breaker.state

    async def aclose(self) -> None:
        """Close every connection. Calls still under way end as unknown."""
        await self._client.aclose()

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """Charge the payment; repeat what failed while attempts and time allow.

        The first attempt makes do with what time there is before `deadline` minus the finish budget; another is
        begun only if a whole `timeout_s` fits, after the back-off or the Retry-After that the gateway asked for. None
        is made where there is no time left, which is not the gateway's fault.
        """
        loop = asyncio.get_running_loop()
        started, until = loop.time(), deadline - self._finish_budget_s
        failures: list[AttemptFailedError] = []

        async def attempt() -> Approved | Declined | Voided:
            by = min(loop.time() + self._timeout_s, until)
            return await _noting(failures, self._client.charge(payment, by))

        outcome: Approved | Declined | Voided | NotSent | Unknown
        try:
            late = started >= until
            outcome = NotSent(FailureCode.DEADLINE_EXCEEDED) if late else await self._persist(attempt, until)
        except (AttemptFailedError, BreakerOpenError):
            outcome = Unknown(_why(failures)) if any(f.sent for f in failures) else NotSent(_why(failures))
        self._tell("charge", outcome, failures, started)
        return outcome

    async def _persist(self, attempt: Callable[[], Awaitable[T]], until: float) -> T:
        """Make the attempt, and more while that helps. tenacity, 60 µs a call, is told of failures only."""
        try:
            return await self._breaker.call(attempt, until)
        except AttemptFailedError as error:
            first = [error]

        async def again() -> T:
            if first:
                raise first.pop()  # so that it counts, and its Retry-After does
            return await self._breaker.call(attempt, until)

        now = asyncio.get_running_loop().time()
        return await _retrying(self._attempts, until - self._timeout_s - now)(again)

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """Ask what became of the payment's charge, within `timeout_s` and the deadline."""
        return await self._repeated("ask", self._client.ask, payment, deadline)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See to it that no charge stands for the payment, now or later, within `timeout_s` and the deadline."""
        return await self._repeated("void", self._client.void, payment, deadline)

    async def _repeated(
        self, operation: str, call: Callable[[Payment, float], Awaitable[T]], payment: Payment, deadline: float
    ) -> T | Unknown:
        started = asyncio.get_running_loop().time()
        until = min(started + self._timeout_s, deadline)
        failures: list[AttemptFailedError] = []

        async def once() -> T:
            return await _noting(failures, call(payment, until))

        outcome: T | Unknown
        try:
            outcome = await _retrying(_ASKS, until - started)(once)
        except AttemptFailedError:
            outcome = Unknown(_why(failures))
        self._tell(operation, outcome, failures, started)
        return outcome

    def _tell(self, operation: str, outcome: object, failures: list[AttemptFailedError], started: float) -> None:
        if self._observe:
            attempts = [_end_of(failure) for failure in failures]
            if not isinstance(outcome, NotSent | Unknown):
                attempts.append("answered")
            elapsed_s = asyncio.get_running_loop().time() - started
            self._observe(operation, type(outcome).__name__, attempts, elapsed_s)


async def _noting(failures: list[AttemptFailedError], call: Awaitable[T]) -> T:
    try:
        return await call
    except AttemptFailedError as failure:
        failures.append(failure)
        raise


def _why(failures: list[AttemptFailedError]) -> FailureCode:
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


def tell(state: BreakerState, was: BreakerState) -> None:
    """Log a change of the gateway's breaker."""
    _log.warning("gateway_breaker", state=state, was=was)
