"""What is done with deliveries, wherever they come from: batches, retries with back-off, dead letters.

A batch is handled as a whole. When that fails over one of its messages it is halved until that one stands alone; the
one is tried again while everything else flows on, except the later messages of the same payment, which wait behind it.
What is the message's own fault is tried a few times, and then given up. Any other message is stuck: it is tried for as
long as it takes. When many are stuck no new ones are begun, and while the database is away nothing fails: everything
waits.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import structlog

from app.kernel.errors import NeighbourAway
from app.platform.messaging import received_events
from app.platform.messaging.backoff import backoff_s, pause
from app.platform.messaging.faults import is_the_messages, place_of, reason_of
from app.platform.messaging.handing_over import Handle, hand_over

# Every failing message gets its attempts, broken JSON too: one rule, and 2 s cost nothing where nothing waits for them.
MAX_ATTEMPTS: Final = 4
RETRY_BACKOFF_S: Final = (0.2, 0.6, 1.2)
OUTAGE_BACKOFF_S: Final = (0.1, 2.0)
STUCK_BACKOFF_S: Final = (0.2, 30.0)
# So many stuck messages of different payments, and it is hardly about them any more.
STUCK_AT_MOST: Final = 16

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Delivery:
    """A message in hand. Those with the same key are handled in the order in which they came.

    So many `attempts` failed by its own fault, and `vain` ones by the process's, since `stuck_since` (monotonic).
    """

    tag: int
    body: bytes
    message: Any = None
    attempts: int = 0
    vain: int = 0
    stuck_since: float = 0.0
    reason: str = ""

    @property
    def id(self) -> str:
        """Its event's id, or a digest where it has none."""
        return str(received_events.event_id(self.body) or f"body-{sha256(self.body).hexdigest()[:16]}")

    @property
    def tenant_id(self) -> UUID | None:
        """Whose it is, if its header says so."""
        return None if self.message is None else self.message.tenant_id

    @property
    def key(self) -> str:
        """The payment that it is about, if it says so. Nobody asks as long as nothing fails."""
        return str(received_events.subject(self.body) or f"without subject {self.tag}")


Observe = Callable[[Sequence[Delivery], int, str | None], None]
"""Is told of deliveries that are handled, since when (`time.time_ns()`), and, if one failed, the kind of its error."""


@dataclass(slots=True)
class Counts:
    """What a consumer did since it started, and which messages it has in hand: the oldest first.

    `stuck_since` is the monotonic time since when it cannot handle one of them, by no fault of the message; None when
    it can.
    """

    handled: int = 0
    retries: int = 0
    dead_letters: int = 0
    held: Mapping[int, Delivery] = field(default_factory=dict)
    stuck_since: float | None = None


@dataclass(slots=True)
class Finished:
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

    def __init__(
        self, handle: Handle, counts: Counts, abandon: asyncio.Event, observe: Observe | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`alive` is called while all waits for a neighbour, as often as it is looked for."""
        self._handle = handle
        self._alive = alive
        self._counts = counts
        self._abandon = abandon
        self._observe = observe
        self._failing: dict[str, _Failing] = {}
        # Those of the failing ones that do so by no fault of theirs, and what is not begun, as they are too many.
        self._stuck: dict[str, Delivery] = {}
        self._waiting: list[Delivery] = []
        counts.stuck_since = None

    @property
    def stuck(self) -> Sequence[Delivery]:
        """The messages that cannot be handled, by no fault of theirs."""
        return list(self._stuck.values())

    def next_retry_at(self) -> float | None:
        """When the next failing message is due, in the event loop's time."""
        return min((failing.retry_at for failing in self._failing.values()), default=None)

    async def work(self, deliveries: Sequence[Delivery], outcome: Finished) -> None:
        """Handle new deliveries, noting at once in `outcome` what becomes of each; the failing ones stay here.

        Raises:
            ConnectionError: the handler cannot work, and `abandon` is set.
        """
        waiting, self._waiting = self._waiting, []
        await self._work([*waiting, *deliveries], outcome)
        stuck_since = min((delivery.stuck_since for delivery in self._stuck.values()), default=None)
        self._counts.stuck_since = stuck_since

    async def retry(self, now: float, outcome: Finished) -> None:
        """Handle the failing deliveries that are due, and what waits behind those that no longer fail."""
        for key in [key for key, failing in self._failing.items() if failing.retry_at <= now]:
            failing = self._released(key)
            self._counts.retries += 1
            await self._work([failing.delivery], outcome)
            if failing.delivery.vain and key not in self._failing:
                for other in self._stuck:  # what was mended may have been theirs, too
                    self._failing[other].retry_at = now
            await self._work(failing.behind, outcome)
        await self.work((), outcome)

    async def give_up(self, delivery: Delivery, reason: str, outcome: Finished) -> None:
        """Give up a stuck message, as somebody said so, and go on with what waits behind it."""
        failing = self._released(delivery.key)
        self._bury(delivery, reason, outcome)
        await self.work(failing.behind, outcome)

    async def _work(self, deliveries: Sequence[Delivery], outcome: Finished) -> None:
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
            await self._work(ready[:half], outcome)
            await self._work(ready[half:], outcome)
        else:
            outcome.done += ready
            self._counts.handled += len(ready)
            if self._observe:
                self._observe(ready, began_ns, None)

    def _waits(self, delivery: Delivery) -> bool:
        if not self._failing:
            return False
        failing = self._failing.get(delivery.key)
        if failing is not None:
            failing.behind.append(delivery)
        elif len(self._stuck) >= STUCK_AT_MOST:
            self._waiting.append(delivery)
        else:
            return False
        return True

    def _fail(self, delivery: Delivery, error: Exception, outcome: Finished) -> None:
        delivery.reason = reason_of(error)
        if not is_the_messages(error, delivery.body):
            self._stick(delivery, error)
            return
        delivery.attempts += 1
        if delivery.attempts >= MAX_ATTEMPTS:
            self._bury(delivery, delivery.reason, outcome)
            return
        self._failing[delivery.key] = _Failing(delivery, _in_s(RETRY_BACKOFF_S[delivery.attempts - 1]))
        _log.warning("message_fails", key=delivery.key, attempts=delivery.attempts, reason=delivery.reason)

    def _stick(self, delivery: Delivery, error: Exception) -> None:
        key = delivery.key
        delivery.stuck_since = delivery.stuck_since or time.monotonic()
        self._failing[key] = _Failing(delivery, _in_s(backoff_s(*STUCK_BACKOFF_S, delivery.vain)))
        self._stuck[key] = delivery
        delivery.vain += 1
        _log.error(
            "message_stuck", message_id=delivery.id, key=key, tries=delivery.vain, reason=delivery.reason,
            where=place_of(error),
        )  # fmt: skip

    def _released(self, key: str) -> _Failing:
        self._stuck.pop(key, None)
        return self._failing.pop(key)

    def _bury(self, delivery: Delivery, reason: str, outcome: Finished) -> None:
        outcome.dead.append((delivery, reason))
        self._counts.dead_letters += 1

    async def _patiently(self, deliveries: Sequence[Delivery]) -> None:
        failures = 0
        while True:
            try:
                await hand_over(self._handle, deliveries)
            except ConnectionError as error:
                if self._abandon.is_set():
                    raise
                if failures == 0:
                    _log.warning("consumer_waits", reason=str(error))
                self._counts.stuck_since = self._counts.stuck_since or time.monotonic()
                if isinstance(error, NeighbourAway):
                    self._alive()
                await pause(backoff_s(*OUTAGE_BACKOFF_S, failures), self._abandon)
                failures += 1
            else:
                if failures:
                    _log.info("consumer_resumes", failures=failures)
                return


def _in_s(delay_s: float) -> float:
    return asyncio.get_running_loop().time() + delay_s
