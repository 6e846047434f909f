"""Where new identifiers come from."""

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Where new identifiers come from."""

    def __call__(self) -> UUID:
        """A UUID never given before; later ones sort behind earlier ones, as far as the clock is right."""
        ...
