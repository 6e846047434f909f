"""The threads on which hashes of passwords are made. The libraries let go of Python's lock meanwhile.

So many passwords at once are hashed, and so many more wait; whoever comes then is told to come back. The rest of the
process goes on: the threads are of the least urgency, as far as the system has one for each.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final, TypeVar

from app.contexts.identity.adapters.passwords import hashes
from app.contexts.identity.application.ports import Hashed, Verified
from app.kernel.errors import Unavailable

R = TypeVar("R")

WAITING: Final = 32
"""For each thread: a second or two, with passwords of today's kind."""

NICENESS: Final = 5
"""With more of it nobody logs in while all cores are busy with something else: it is a third of their share."""


class PasswordThreads:
    """Implements `Passwords`, on so many threads; with 0 on one for each core. Made without them: the first password
    starts them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads or _cores()
        self._under_way = 0

    async def hash(self, password: str) -> Hashed:
        """See `Passwords.hash`."""
        made, began_at = await self._run(lambda: hashes.make(password))
        return Hashed(made, began_at)

    async def verify(self, hash: str | None, password: str) -> Verified:
        """See `Passwords.verify`."""

        def work() -> tuple[bool, str | None]:
            if hash is None:
                hashes.fits(self._nobodys, password)
                return False, None
            fits = hashes.fits(hash, password)
            return fits, hashes.make(password) if fits and hashes.is_old(hash) else None

        (fits, renewed), began_at = await self._run(work)
        return Verified(fits, renewed, began_at)

    async def _run(self, work: Callable[[], R]) -> tuple[R, float]:
        """What the work gives, and when it began.

        It goes on to its end when nobody waits for it any more, and counts until then.
        """
        if self._under_way >= self.threads * (1 + WAITING):
            raise Unavailable("too many passwords wait")
        future = self._executor.submit(_timed, work)
        self._under_way += 1
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _call_soon(loop, self._let_go))
        return await asyncio.wrap_future(future)

    def _let_go(self) -> None:
        self._under_way -= 1

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, "passwords", initializer=_step_back)

    @cached_property
    def _nobodys(self) -> str:
        """A hash that no password fits: what is held against it takes as long as with anybody's."""
        return hashes.make(os.urandom(16).hex())


def _timed(work: Callable[[], R]) -> tuple[R, float]:
    began_at = time.monotonic()
    return work(), began_at


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


def _step_back() -> None:
    """Let every other thread go first, this one's alone: only Linux knows threads apart there."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
