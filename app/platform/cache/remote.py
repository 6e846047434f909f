"""What the cache asks of level 2: steps, each of which happens at once or not at all."""

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

from app.platform.cache.in_process import Place


class Away(Exception):  # noqa: N818 -- it says what Redis is, for now
    """Redis has not said so in time. It may have happened, and may yet."""


class Looked(NamedTuple):
    """What was found at a place."""

    value: bytes | None = None
    ttl_s: float = 0.0
    """For so long it will be there."""
    has_lease: bool = False
    """Whether who looked may put something there: there was nothing, and nobody else is about to."""


NOTHING = Looked()


class Remote(Protocol):
    """What all processes keep together."""

    @property
    def answers(self) -> bool:
        """Whether it is asked: one that does not answer is left alone."""
        ...

    async def look(self, place: Place, lease: str) -> Looked:
        """What is there; else, the lease of the place, if nobody has it.

        Raises:
            Away: nobody knows.
        """
        ...

    async def take_lease(self, place: Place, lease: str) -> bool:
        """The lease of a place, whatever is there, if nobody has it.

        Raises:
            Away: nobody knows.
        """
        ...

    def put(self, place: Place, lease: str, value: bytes, ttl_s: float, on_late: Callable[[], None]) -> None:
        """Have it kept there, if the lease is still there when that happens; `on_late` is told if it is not. Nobody
        waits for it.
        """
        ...

    async def delete(self, places: Collection[Place]) -> int:
        """Remove what is there, and the leases, and tell all processes: how many there were.

        Raises:
            Away: nobody knows.
        """
        ...

    async def delete_matching(self, tenant: int, patterns: Collection[str]) -> int:
        """The same for all of the tenant's places that match one of the patterns.

        Raises:
            Away: nobody knows.
        """
        ...

    def delete_unheard(self, places: Collection[Place]) -> None:
        """Remove what no process keeps itself, and the leases. Nobody waits for it, or is told."""
        ...


class Pulse(Protocol):
    """Whether this process hears of everything that is deleted."""

    @property
    def is_fresh(self) -> bool:
        """Whether all that was deleted until a moment ago has been heard of."""
        ...
