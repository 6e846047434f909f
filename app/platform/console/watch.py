"""One look at everything, shared by all who watch: as often for one browser as for a hundred, and not for none."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog

from app.platform.operations.health import Health, State

EVERY_S: Final = 2.0
"""Pages that keep themselves up to date ask as often."""
PARTS_EVERY_S: Final = 10.0
"""Looking at the parts opens connections to all of them: less often than what is cheap to see."""
FORGOTTEN_AFTER_S: Final = 10.0
"""Nobody watches who has not asked for so long."""
PATIENCE_S: Final = 2.5
"""How long the first who comes waits for the first look."""

Look = Callable[[], Awaitable[None]]
"""Sees what there is, and keeps it for the pages that show it."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True)
class Seen:
    """The parts of the service as they were seen last."""

    at: datetime | None = None
    parts: Mapping[str, Health] = field(default_factory=dict)

    @property
    def wrong(self) -> int:
        """How many parts are not ok."""
        return sum(health.state is not State.OK for health in self.parts.values())

    @property
    def down(self) -> int:
        """How many parts are down."""
        return sum(health.state is State.DOWN for health in self.parts.values())

    @property
    def waiting(self) -> int | None:
        """How many messages wait in the queues; None where nobody can tell."""
        queues = [queue for queue in self._figures("broker").values() if isinstance(queue, Mapping)]
        return sum(queue["messages"] for queue in queues) if queues else None

    @property
    def dead(self) -> int | None:
        """How many dead letters there are; None where nobody can tell."""
        counts = [count for count in self._figures("dead letters").values() if isinstance(count, int)]
        return sum(counts) if counts else None

    def _figures(self, part: str) -> Mapping[str, object]:
        return self.parts[part].figures if part in self.parts else {}


class Watch:
    """Looks while somebody watches: at the parts, and at what pages have it look at beside them."""

    def __init__(self, look_at_parts: Callable[[], Awaitable[Mapping[str, Health]]]) -> None:
        self._see_parts = look_at_parts
        self._often: list[Look] = []
        self._with_parts: list[Look] = [self._look_at_parts]
        self._seen = Seen()
        self._asked_at = float("-inf")
        self._asked = asyncio.Event()
        self._looked = asyncio.Event()
        self._parts_due = 0.0

    def add(self, look: Look, *, costly: bool = False) -> None:
        """Take this look, too: every `EVERY_S`, or as often as at the parts if it is costly."""
        (self._with_parts if costly else self._often).append(look)

    async def seen(self) -> Seen:
        """What was seen last; somebody watches from here on."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at > FORGOTTEN_AFTER_S:
            self._looked.clear()
            self._parts_due = 0.0
        self._asked_at = loop.time()
        self._asked.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._looked.wait()
        return self._seen

    def changed(self) -> None:
        """An operator did something: look at the parts soon."""
        self._parts_due = 0.0

    async def run(self) -> None:
        """Look, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            if loop.time() - self._asked_at > FORGOTTEN_AFTER_S:
                self._asked.clear()
                continue
            began = loop.time()
            try:
                await self._look(loop.time())
            except Exception as error:
                _log.error("console_cannot_look", error=f"{type(error).__module__}.{type(error).__qualname__}")
            self._looked.set()
            await asyncio.sleep(max(0.0, EVERY_S - (loop.time() - began)))

    async def _look(self, now: float) -> None:
        looks = [*self._often]
        if now >= self._parts_due:
            self._parts_due = now + PARTS_EVERY_S
            looks += self._with_parts
        await asyncio.gather(*(look() for look in looks))
        self._seen.at = datetime.now(UTC)

    async def _look_at_parts(self) -> None:
        self._seen.parts = await self._see_parts()
