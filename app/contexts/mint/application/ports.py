"""What requests for tokens are kept in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.mint.domain.request import MintRequest, Outcome


class Asked(NamedTuple):
    """An event that asks for tokens."""

    event_id: UUID
    request: MintRequest


class Standing(NamedTuple):
    """A request as it stands. One that `is_new` was noted just now: nobody has asked the chain for it."""

    request: MintRequest
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is open: how many requests the chain has not, how many it has, and since when the oldest of all waits."""

    requested: int
    submitted: int
    oldest_s: float


class Requests(Protocol):
    """The requests. Each of its calls is a transaction of its own.

    Raises:
        ConnectionError: nothing can be done for now. What was under way may have happened.
    """

    async def note(self, asked: Sequence[Asked], *, for_s: float, is_heard: bool = False) -> Sequence[Standing]:
        """Note what is asked for, each request once, and leave what is new to whoever notes it for so long. Where the
        events are heard with that, they have had their effect. How each of the requests stands.

        Raises:
            Malformed: a request id is known with something else.
        """
        ...

    async def due(self, at_most: int, for_s: float) -> Sequence[Standing]:
        """Open requests whose time has come, the oldest first, left to whoever takes them for so long."""
        ...

    async def conclude(self, outcomes: Sequence[Outcome], heard: Sequence[UUID] = ()) -> Sequence[Outcome]:
        """Write what became of requests, with the events that tell it, and that those events were heard. Those that
        came to their end by it."""
        ...

    async def backlog(self) -> Backlog:
        """What is open."""
        ...
