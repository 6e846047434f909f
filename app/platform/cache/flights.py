"""One load a place at a time: whoever comes meanwhile gets its outcome."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from app.platform.cache.in_process import Place

YOUNG_S: Final = 0.15
"""Where nobody knows whether something was deleted since, so young a load may be joined: as old may be what is read."""


class _Flight:
    """A load, and from when on what it brings may be old."""

    def __init__(self, generation: int, now: Callable[[], float], load: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.generation, self.began_at = generation, float("inf")
        self._now, self._load = now, load
        self.task = asyncio.create_task(self._fly())

    async def _fly(self) -> Any:
        self.began_at = self._now()
        return await self._load()


class Flights:
    """Loads that are under way. Those who wait may go: it goes on for the others."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._flights: dict[Place, _Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def under_way(self, place: Place, generation: int, *, knows_all: bool) -> "asyncio.Task[Any] | None":
        """The load of the place that is under way, if nothing has changed there since it began. `generation` is the
        place's now, `knows_all` whether it moves with what others delete.
        """
        flight = self._flights.get(place)
        if flight is None or flight.generation != generation or not (knows_all or self._is_young(flight)):
            return None
        return flight.task

    def begin(self, place: Place, generation: int, load: Callable[[], Coroutine[Any, Any, Any]]) -> "asyncio.Task[Any]":
        """A load that whoever comes from now on may wait for."""
        flight = self._flights[place] = _Flight(generation, self._now, load)
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda task: self._land(place, task))
        return flight.task

    def _is_young(self, flight: _Flight) -> bool:
        return self._now() - flight.began_at < YOUNG_S

    async def close(self) -> None:
        """End what is under way."""
        for task in (tasks := [*self._tasks]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, place: Place, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # those who waited may have gone
        if (flight := self._flights.get(place)) is not None and flight.task is task:
            del self._flights[place]
