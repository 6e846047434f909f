"""The subscription to deletions, and whether it lives: this process hears itself through it, or it hears nobody."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol
from uuid import uuid4

from app.platform.cache.asking import Asking
from app.platform.cache.in_process import InProcess
from app.platform.cache.messages import heed
from app.platform.cache.metrics import Hearing
from app.platform.cache.remote import Away, Pulse
from app.platform.cache.scripts import PUBLISH, Call
from app.platform.process.waiting import pause

BEAT_EVERY_S: Final = 0.04
FRESH_S: Final = 0.15
"""So long after a beat was sent what is kept in the process is served."""
DEAF_AFTER_S: Final = 1.0
"""One through which nothing has come for so long is given up."""
IDLE_S: Final = 30.0
"""Where nobody has asked for so long it ends, until somebody does."""
PROBE_EVERY_S: Final = 0.25
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 1.0
REMEMBERED: Final = 64
"""Beats that are under way."""


class Listening(Protocol):
    """A connection on which channels are listened to."""

    async def subscribe(self, *channels: str) -> None:
        """From now on what is said on the channels is heard."""
        ...

    async def hear(self) -> tuple[str, bytes]:
        """The next message: its channel, and what it says."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class Subscription(Pulse):
    """Hears of deletions, and forgets what they tell of, as long as somebody asks whether it does.

    Redis sends what is said in its order. So when a beat comes back, all has been heard that was said before it was
    sent. What was said while nobody listened is lost: whoever begins to listen has kept nothing that counts.
    """

    def __init__(
        self,
        asking: Asking,
        listen: Callable[[], Listening],
        channel: str,
        level1: InProcess,
        fresh_s: float = FRESH_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asking, self._listen, self._channel, self._level1 = asking, listen, channel, level1
        self._fresh_s, self._now = fresh_s, now
        self._own_channel = f"{channel}:{uuid4().hex}"
        self._sent: dict[int, float] = {}
        self._beats = 0
        self._last_heard: int | None = None
        self._knows_until = self._asked_at = self._wanted_at = self._heard_at = float("-inf")
        self._wanted = asyncio.Event()

    @property
    def is_fresh(self) -> bool:
        """Whether all that was deleted until a moment ago has been heard of."""
        self._asked_at = now = self._now()
        if not self._wanted.is_set():
            self._wanted_at = now
            self._wanted.set()
        return now - self._knows_until < self._fresh_s

    @property
    def hearing(self) -> Hearing:
        """How it does, for those who watch: that is no asking. What is over within a moment is not told."""
        if not self._wanted.is_set():
            return "asleep"
        return "silent" if self._now() - max(self._wanted_at, self._heard_at) > DEAF_AFTER_S else "heard"

    async def keep_beating(self, stop: asyncio.Event) -> None:
        """Say something to oneself again and again: that also finds out whether Redis is there."""
        while not stop.is_set():
            await self._beat()
            if self._now() - self._asked_at > IDLE_S:
                self._wanted.clear()
            await pause(BEAT_EVERY_S if self._wanted.is_set() else PROBE_EVERY_S, stop)

    async def listen(self) -> None:
        """Listen until cancelled, on a new connection where one has ended or says nothing."""
        pause_s = FIRST_PAUSE_S
        while True:
            await self._wanted.wait()
            began_at = self._now()
            # Whatever has ended it, the next connection is another one.
            with suppress(Exception):
                await self._hear_all()
            if (task := asyncio.current_task()) and task.cancelling():  # what it hung up with may hide that
                raise asyncio.CancelledError
            self._knows_until = float("-inf")
            pause_s = FIRST_PAUSE_S if self._now() - began_at > LONGEST_PAUSE_S else min(pause_s * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _beat(self) -> None:
        self._beats += 1
        self._sent[self._beats] = self._now()
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]
        with suppress(Away):  # a beat that does not come back is what tells
            await self._asking.ask(Call(PUBLISH, (), (self._own_channel, str(self._beats))), is_trial=True)

    async def _hear_all(self) -> None:
        listening = self._listen()
        try:
            async with asyncio.timeout(DEAF_AFTER_S):
                await listening.subscribe(self._channel, self._own_channel)
            self._level1.clear()
            self._last_heard = None
            while self._wanted.is_set():
                async with asyncio.timeout(DEAF_AFTER_S):
                    channel, message = await listening.hear()
                if channel == self._channel:
                    heed(message, self._level1)
                else:
                    self._hear_myself(int(message))
        finally:
            await listening.close()

    def _hear_myself(self, number: int) -> None:
        if self._last_heard is not None and number != self._last_heard + 1:
            self._level1.clear()  # one was lost on its way, or swallowed, and who knows what with it
        self._last_heard, self._heard_at = number, self._now()
        self._knows_until = self._sent.pop(number, self._knows_until)
