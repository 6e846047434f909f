"""The broker for one process, when there is no RabbitMQ: publishing *is* delivering.

A message counts as confirmed once every queue's consumer has committed its effect, or has given the message up. So
nothing is lost when the process dies: the event's row in the outbox is still unsent, and it is published again. Retries
with back-off, and the order of a payment's events meanwhile, are the outbox's: a message that a consumer fails on is
rejected, and comes again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.platform.messaging.handing_over import Handle, hand_over
from app.platform.messaging.ports import BrokerUnavailable, Confirmed, OutboxMessage, Outcome, Rejected
from app.platform.messaging.waves import publish_in_waves

MAX_ATTEMPTS: Final = 4
TIMEOUT_S: Final = 4.0
DEAD_LETTERS_KEPT: Final = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A queue and its consumer.

    `takes` tells by its type whether a message is routed here. `handle` takes effect for all of the documents, exactly
    once for each event's id, or for none; it raises ConnectionError while it cannot work. Of anything else `blames`
    tells whether one of the documents is to blame, which is then given up after some attempts.
    """

    queue: str
    takes: Callable[[str], bool]
    handle: Handle
    blames: Callable[[BaseException], bool]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a queue's consumer failed on again and again."""

    queue: str
    message: OutboxMessage
    reason: str


class InProcessBroker:
    """A `Publisher` that delivers to the subscriptions. `dead_letters` holds the latest messages given up.

    What none of them takes is rejected if it is `mandatory` that one does; else it is let go.
    """

    def __init__(
        self, subscriptions: Sequence[Subscription], *, mandatory: bool = True, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._subscriptions = tuple(subscriptions)
        self._mandatory = mandatory
        self._timeout_s = timeout_s
        self.dead_letters: deque[DeadLetter] = deque(maxlen=DEAD_LETTERS_KEPT)

    async def publish(self, messages: Sequence[OutboxMessage]) -> Sequence[Outcome]:
        """See `Publisher.publish`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await publish_in_waves(messages, self._publish_wave)
        except TimeoutError as error:
            raise BrokerUnavailable("a consumer takes too long") from error

    async def _publish_wave(self, messages: Sequence[OutboxMessage]) -> Sequence[Confirmed | Rejected]:
        failed: dict[int, str] = {
            message.id: f"no queue is bound for {message.type!r}"
            for message in messages
            if self._mandatory and not any(subscription.takes(message.type) for subscription in self._subscriptions)
        }
        ends = await asyncio.gather(
            *(self._deliver(subscription, messages, failed) for subscription in self._subscriptions),
            return_exceptions=True,  # no delivery is left to itself because another one failed
        )
        for end in ends:
            if isinstance(end, ConnectionError):
                raise BrokerUnavailable(str(end)) from end
            if end is not None:
                raise end
        return [Rejected(failed[message.id]) if message.id in failed else Confirmed() for message in messages]

    async def _deliver(
        self, subscription: Subscription, messages: Sequence[OutboxMessage], failed: dict[int, str]
    ) -> None:
        """Deliver all at once, or, when that fails over one of them, by halves until that one stands alone."""
        messages = [message for message in messages if subscription.takes(message.type)]
        if not messages:
            return
        try:
            await hand_over(subscription.handle, messages)
        except ConnectionError:
            raise
        except Exception as error:
            if len(messages) > 1:
                half = len(messages) // 2
                await self._deliver(subscription, messages[:half], failed)
                await self._deliver(subscription, messages[half:], failed)
                return
            reason = _reason(error)
            if messages[0].attempts + 1 < MAX_ATTEMPTS or not subscription.blames(error):
                failed[messages[0].id] = f"{subscription.queue}: {reason}"
            else:
                self._bury(DeadLetter(subscription.queue, messages[0], reason))

    def _bury(self, dead: DeadLetter) -> None:
        self.dead_letters.append(dead)
        _log.error("message_buried", message_id=str(dead.message.event_id), queue=dead.queue, reason=dead.reason)


def _reason(error: Exception) -> str:
    """Which kind of error, and its SQLSTATE if it has one: the text of some quotes what it is about."""
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {sqlstate}' if sqlstate else ''}"
