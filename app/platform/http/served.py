"""What the server serves, as it sees it."""

from collections.abc import Sequence
from typing import Protocol

from litestar.types import Receive, Scope, Send

from app.platform.http.errors import Problem
from app.platform.http.headers import Head
from app.platform.http.replies import RawHeader


class Served(Protocol):
    """What is served here: an ASGI application that hears of its end, and records requests that never get to it."""

    @property
    def draining(self) -> bool:
        """Whether the process is about to end: every connection ends with its next answer."""
        ...

    def begin_drain(self) -> None:
        """Begin nothing that takes long from here on."""
        ...

    def headers_beside(self, target: bytes, head: Head) -> Sequence[RawHeader]:
        """What a refusal of a request for this target has beside its own headers."""
        ...

    def record_refused(self, problem: Problem, started: float) -> None:
        """Take note of a request that was refused before it got here. `started` is a time of `time.perf_counter()`."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        ...
