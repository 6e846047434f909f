"""Answers that go on: said piece by piece, until all is said or nobody is there any more to whom it may be said.

Nothing is kept for a client that takes slowly: saying takes as long as the client does, and who takes nothing for
`TAKEN_WITHIN_S` is hung up on, as with any answer.
"""

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from app.kernel.errors import Unavailable
from app.platform.http.errors import log_unavailable, log_unexpected, unavailable
from app.platform.people import Credential, NotLetIn, People

if TYPE_CHECKING:
    from litestar.types import Receive, Send

    from app.platform.http.metrics import StreamMetrics

LOOKED_AFTER_EVERY_S: Final = 0.25
"""Whoever knows people remembers them for half a second: a log-out is known within one."""


class Ending(StrEnum):
    """Why a stream is over."""

    SAID = "said"
    GONE = "gone"
    """Its client left."""
    SLOW = "slow"
    """Its client did not take what was said, and left or was left."""
    DRAINED = "drained"
    """The process ends. Another one goes on."""
    NOT_LET_IN = "not_let_in"
    """Its client's credential is none any more."""
    UNAVAILABLE = "unavailable"
    """What is to be said, or whether it may be, cannot be known now."""


class Stream:
    """An answer under way, for whoever makes it: says a piece, and waits until there is more to say."""

    __slots__ = ("_is_saying", "_is_woken", "_send", "_until", "_waiter", "ending", "is_whole")

    def __init__(self, send: "Send", *, is_whole: bool = False) -> None:
        self._send = send
        self.is_whole = is_whole
        self._is_saying = self._is_woken = False
        self._waiter: asyncio.Future[None] | None = None
        self._until = asyncio.timeout(None)
        self.ending: Ending | None = None

    async def say(self, piece: bytes) -> None:
        """Send it. What the client does not take is waited for."""
        self._is_saying = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._is_saying = False

    async def wait(self, until: float) -> None:
        """Wait until somebody wakes it, which may have happened already, or that time of the loop."""
        if not self._is_woken:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_at(until, self.wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        self._is_woken = False

    def wake(self) -> None:
        """There is something to say."""
        self._is_woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, ending: Ending) -> None:
        """End it, wherever it stands, for this reason, unless it has another. No piece of it is cut in two."""
        if self.ending is None:
            self.ending = Ending.SLOW if ending is Ending.GONE and self._is_saying else ending
            self._until.reschedule(0.0)

    async def run(self, body: "Body") -> None:
        """Have it said, to its end or until it is ended."""
        try:
            async with self._until:
                await body(self)
        except TimeoutError:
            if self.ending is None:  # one of its own
                raise
        except Unavailable as error:
            log_unavailable(error)
            self.ending = self.ending or Ending.UNAVAILABLE
        self.ending = self.ending or Ending.SAID


Body = Callable[[Stream], Awaitable[None]]
"""Says a stream: it returns when all is said. May raise Unavailable."""


def most_open() -> int:
    """How many streams may be open at once. Anybody may open some, and leave them so: they take no more than half of
    the files that the process may have open, and all other requests have the rest.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files // 2


class Streams:
    """The streams of a process."""

    def __init__(self, people: People | None, metrics: "StreamMetrics") -> None:
        self._people = people
        self._metrics = metrics
        self._open: dict[Stream, Credential | None] = {}
        self._looking: asyncio.Task[None] | None = None
        self._is_draining = False

    def see_room(self) -> None:
        """See whether one more may begin.

        Raises:
            Problem: there are as many as there may be. The connection, which is what there are too many of, ends.
        """
        if len(self._open) >= most_open():
            log_unavailable(Unavailable("as many streams are open as may be"))
            full = unavailable()
            full.headers["Connection"] = "close"
            raise full

    def drain(self) -> None:
        """End all there are, and from here on each as it begins; but for those that are whole, which have the grace."""
        self._is_draining = True
        for stream in self._open:
            if not stream.is_whole:
                stream.end(Ending.DRAINED)

    async def run(
        self, route: str, credential: Credential | None, body: Body, receive: "Receive", send: "Send",
        *, is_whole: bool = False,
    ) -> Ending:  # fmt: skip
        """Have a stream said to whoever showed the credential; why it is over."""
        if self._is_draining and not is_whole:
            return Ending.DRAINED
        stream = Stream(send, is_whole=is_whole)
        leaving = asyncio.create_task(_end_with_its_client(stream, receive))
        self._open[stream] = credential
        if credential is not None and self._looking is None:
            # Nobody's in particular: what is logged there has not the first one's request id.
            self._looking = asyncio.get_running_loop().create_task(self._look_after_all(), context=Context())
        self._metrics.began(route)
        try:
            await stream.run(body)
        finally:
            del self._open[stream]
            leaving.cancel()
            self._metrics.ended(route, stream.ending)
        assert stream.ending is not None
        return stream.ending

    async def _look_after_all(self) -> None:
        """See again and again whether all are still let in, as long as there is somebody."""
        try:
            while shown := {credential for credential in self._open.values() if credential is not None}:
                # At once, so that they share a round trip.
                await asyncio.gather(*map(self._look_after, shown))
                await asyncio.sleep(LOOKED_AFTER_EVERY_S)
        finally:
            self._looking = None

    async def _look_after(self, credential: Credential) -> None:
        assert self._people is not None
        try:
            await self._people.authenticator.authenticate(credential)
        except NotLetIn:
            self._end_all_of(credential, Ending.NOT_LET_IN)
        except Unavailable as error:
            log_unavailable(error)
            self._end_all_of(credential, Ending.UNAVAILABLE)
        except Exception as error:  # who cannot be known is not let in, whatever went wrong
            log_unexpected(error)
            self._end_all_of(credential, Ending.UNAVAILABLE)

    def _end_all_of(self, credential: Credential, ending: Ending) -> None:
        for stream, shown in self._open.items():
            if shown == credential:
                stream.end(ending)


async def _end_with_its_client(stream: Stream, receive: "Receive") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end(Ending.GONE)
