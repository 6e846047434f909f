"""What the console needs to be given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from app.platform.messaging.dead_letter_ports import DeadLetters
from app.platform.messaging.replay import Replayed
from app.platform.operations.actions import ActionLog, Actions
from app.platform.operations.health import Health
from app.platform.operations.replay_range import Range
from app.platform.process.progress import Progress


class Replaying(Protocol):
    """Replays a range: `replay_range`, which knows from where and by which broker."""

    async def __call__(
        self, record: Actions, wanted: Range, dry_run: bool, progress: Progress, stop: asyncio.Event
    ) -> Replayed:
        """Publish the range's events into the queue, or count them."""
        ...


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """What stands behind the console's shell. Without queues there are neither dead letters nor replays. What stands
    behind a context's pages it gives them itself."""

    look: Callable[[], Awaitable[Mapping[str, Health]]]
    queues: Sequence[str]
    letters: DeadLetters | None
    replay: Replaying | None
    log: ActionLog
    record_of: Callable[[str], Actions]
    """The record of what the operator of that name does."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """Opens what the services need, and closes it when the last request is over."""
    in_process: bool = False
    """Whether the broker is inside the relay's process, which is why there are no queues."""


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """How the console behaves. `operators` are keys by the names of who holds them; `url` is where browsers find it,
    if that is not where it listens."""

    operators: Mapping[str, str]
    url: str = ""
    shutdown_grace_s: float = 15.0
