"""What is done with deliveries, wherever they come from: batches, retries with back-off, dead letters.

A batch is handled as a whole. When that fails over one of its messages it is halved until that one stands alone; the
one is tried again a few times while everything else flows on, except the later messages of the same payment, which
wait behind it. While the database is away nothing fails: everything waits.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from consumers.kit import messages
from consumers.kit.messages import Malformed

# Every failing message gets its attempts, broken JSON too: one rule, and 2 s cost nothing where nothing waits for them.
MAX_ATTEMPTS: Final = 4
RETRY_BACKOFF_S: Final = (0.2, 0.6, 1.2)
OUTAGE_BACKOFF_S: Final = (0.1, 2.0)

Handle = Callable[[Sequence[bytes]], Awaitable[None]]
"""Takes effect for all of the documents, exactly once for each event's id, or for none.

Raises ConnectionError while it cannot work; anything else is the fault of one of the documents.
"""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Delivery:
    """A message in hand. Those with the same key are handled in the order in which they came."""

    tag: int
    body: bytes
    message: Any = None
    attempts: int = 0

    @property
    def key(self) -> str:
        """The payment that it is about, if it says so. Nobody asks as long as nothing fails."""
        return str(messages.subject(self.body) or f"without subject {self.tag}")


Observe = Callable[[Sequence[Delivery], int, str | None], None]
"""Is told of deliveries that are handled, since when (`time.time_ns()`), and, if one failed, the kind of its error."""


@dataclass(slots=True)
class Counts:
    """What a consumer did since it started, and which messages it has in hand: the oldest first."""

    handled: int = 0
    retries: int = 0
    dead_letters: int = 0
    held: Mapping[int, Delivery] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """The deliveries that are done with, and those that are given up, with the reason."""

    done: list[Delivery] = field(default_factory=list)
    dead: list[tuple[Delivery, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Failing:
    delivery: Delivery
    retry_at: float
    behind: list[Delivery] = field(default_factory=list)


class Worker:
    """Handles deliveries. `abandon` set means: do not wait for a database that is away."""

    def __init__(self, handle: Handle, counts: Counts, abandon: asyncio.Event, observe: Observe | None = None) -> None:
        self._handle = handle
        self._counts = counts
        self._abandon = abandon
        self._observe = observe
        self._failing: dict[str, _Failing] = {}

    def next_retry_at(self) -> float | None:
        """When the next failing message is due, in the event loop's time."""
        return min((failing.retry_at for failing in self._failing.values()), default=None)

    async def work(self, deliveries: Sequence[Delivery], outcome: Outcome) -> None:
        """Handle new deliveries, noting at once in `outcome` what becomes of each; the failing ones stay here.

        Raises:
            ConnectionError: the handler cannot work, and `abandon` is set.
        """
        ready = [delivery for delivery in deliveries if not self._waits(delivery)]
        if not ready:
            return
        began_ns = time.time_ns()
        try:
            await self._patiently(ready)
        except ConnectionError:
            raise
        except Exception as error:
            if len(ready) == 1:
                self._fail(ready[0], error, outcome)
                if self._observe:
                    self._observe(ready, began_ns, type(error).__name__)
                return
            half = len(ready) // 2
            await self.work(ready[:half], outcome)
            await self.work(ready[half:], outcome)
        else:
            outcome.done += ready
            self._counts.handled += len(ready)
            if self._observe:
                self._observe(ready, began_ns, None)

    async def retry(self, now: float, outcome: Outcome) -> None:
        """Handle the failing deliveries that are due, and what waits behind those that no longer fail."""
        for key in [key for key, failing in self._failing.items() if failing.retry_at <= now]:
            failing = self._failing.pop(key)
            self._counts.retries += 1
            await self.work([failing.delivery], outcome)
            await self.work(failing.behind, outcome)

    def _waits(self, delivery: Delivery) -> bool:
        if not self._failing:
            return False
        failing = self._failing.get(delivery.key)
        if failing is None:
            return False
        failing.behind.append(delivery)
        return True

    def _fail(self, delivery: Delivery, error: Exception, outcome: Outcome) -> None:
        delivery.attempts += 1
        reason = _reason(error)
        if delivery.attempts >= MAX_ATTEMPTS:
            outcome.dead.append((delivery, reason))
            self._counts.dead_letters += 1
            return
        delay_s = RETRY_BACKOFF_S[delivery.attempts - 1]
        self._failing[delivery.key] = _Failing(delivery, asyncio.get_running_loop().time() + delay_s)
        _log.warning("message_fails", key=delivery.key, attempts=delivery.attempts, reason=reason)

    async def _patiently(self, deliveries: Sequence[Delivery]) -> None:
        documents = [delivery.body for delivery in deliveries]
        failures = 0
        while True:
            try:
                await self._handle(documents)
            except ConnectionError as error:
                if self._abandon.is_set():
                    raise
                if failures == 0:
                    _log.warning("consumer_waits", reason=str(error))
                first_s, most_s = OUTAGE_BACKOFF_S
                jitter = random.uniform(0.5, 1)  # noqa: S311 -- nothing to guess here
                await pause(min(most_s, first_s * 2 ** min(failures, 10)) * jitter, self._abandon)
                failures += 1
            else:
                if failures:
                    _log.info("consumer_resumes", failures=failures)
                return


async def pause(pause_s: float, until: asyncio.Event) -> None:
    """Wait, or until the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await until.wait()


def _reason(error: Exception) -> str:
    """What went wrong, without a word of the message or of its values."""
    if isinstance(error, Malformed):
        return f"malformed: {error}"
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {sqlstate}' if sqlstate else ''}"
