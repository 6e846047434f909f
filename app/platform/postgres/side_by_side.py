"""Lanes side by side, for commands each of which is as large as a batch."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from app.platform.postgres.lanes import Lanes

C = TypeVar("C")
R = TypeVar("R")


class SideBySide(Generic[C, R]):
    """Several lanes, of which each user has one: commands of different users need not wait for one another."""

    def __init__(self, user_of: Callable[[C], UUID], lanes: Sequence[Lanes[C, R]]) -> None:
        self._user_of = user_of
        self._lanes = lanes

    @property
    def waiting(self) -> int:
        """How many commands wait for their batch to begin."""
        return sum(lanes.waiting for lanes in self._lanes)

    async def submit(self, command: C, deadline: float = float("inf")) -> R:
        """Run the command in its user's lane; see `Lane.submit`."""
        return await self._lanes[self._user_of(command).int % len(self._lanes)].submit(command, deadline)

    async def drain(self) -> None:
        """Wait until everything submitted has its result."""
        for lanes in self._lanes:
            await lanes.drain()


AnyLanes = Lanes[Any, Any] | SideBySide[Any, Any]
