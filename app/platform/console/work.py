"""Long work that an operator began: one at a time, in the background of the console, with progress and an end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from app.kernel.errors import Unavailable
from app.platform.http.errors import log_unexpected
from app.platform.messaging.dead_letters import DeadLetterNotFound
from app.platform.messaging.replay import CannotReplay
from app.platform.operations.actions import NotRecorded
from app.platform.process.progress import HowFar

EXPECTED: Final = (CannotReplay, DeadLetterNotFound, NotRecorded, Unavailable)
"""What may go wrong for reasons that an operator can mend; the message is for them."""

Lines = Sequence[str]
"""What came of the work, for people."""


class Busy(Exception):  # noqa: N818 -- it says what the console is
    """Other work is under way."""


@dataclass(slots=True)
class Job:
    """A piece of work. `trouble` says why it failed; `again` are the fields of the form that does what was counted."""

    title: str
    operator: str
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    done: int = 0
    of: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Lines = ()
    trouble: str | None = None
    again: Mapping[str, str] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return min(100, 100 * self.done // self.of) if self.of else 0

    def progress(self, done: int, of: int) -> None:
        """Take note of how far it is."""
        self.done, self.of = done, of


class Workbench:
    """The one place for long work; it remembers the last that was done."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, title: str, operator: str, run: Callable[[HowFar, asyncio.Event], Awaitable[Lines]]) -> Job:
        """Begin the work.

        Raises:
            Busy: other work is under way.
        """
        if self.job is not None and self.job.under_way:
            raise Busy
        self.job = Job(title, operator)
        self._task = asyncio.create_task(_run(self.job, run))
        return self.job

    def cancel(self) -> None:
        """Ask the work to stop at the next good point."""
        if self.job is not None:
            self.job.stop.set()

    async def end(self, grace_s: float) -> None:
        """Stop the work, and wait for it for the grace at the most."""
        if self._task is None or self._task.done():
            return
        self.cancel()
        await asyncio.wait({self._task}, timeout=grace_s)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def _run(job: Job, run: Callable[[HowFar, asyncio.Event], Awaitable[Lines]]) -> None:
    try:
        job.outcome = await run(job.progress, job.stop)
    except EXPECTED as error:
        job.trouble = str(error)
    except Exception as error:
        log_unexpected(error)
        job.trouble = "something went wrong inside the console: its log has it"
    finally:
        job.ended_at = datetime.now(UTC)
