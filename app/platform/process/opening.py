"""What a process opens, and closes when it ends."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Openable(Protocol):
    """Something that works while it is open."""

    def opened(self) -> AbstractAsyncContextManager[Any]:
        """Open meanwhile."""
        ...
