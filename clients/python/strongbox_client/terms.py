"""Whom a client asks, as who, with how much patience; and what a conversation may want done."""

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from strongbox_client.credentials import Credential

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, with all its attempts, and each of these."""

    deadline_s: float = 60.0
    attempt_s: float = 15.0
    """More than the service takes at most: `REQUEST_TIMEOUT_S` (10)."""
    first_wait_s: float = 0.1
    """Between attempts, where the service does not say in `Retry-After`. It doubles, up to:"""
    longest_wait_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom a client asks, as who, and with how much patience."""

    base_url: str
    credential: Credential | None = None
    api_key: str | None = field(default=None, repr=False)
    patience: Patience = Patience()
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Send:
    """Send this, and tell the `Answer`, or why there is `NoAnswer`. By `until` of the clock it has to be whole."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    timeout_s: float
    until: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Have this conversation while nobody else has one of the kind, and tell what went wrong with it, if so."""

    talk: "Talk[None]"


@dataclass(frozen=True, slots=True)
class Open:
    """Send this as well, but tell a success without its body, which is read by pieces. What was open before ends."""

    send: Send
    silence_s: float
    """So long a piece may take."""


@dataclass(frozen=True, slots=True)
class Read:
    """Tell the next piece of what is open: none at its end, or why there is `NoAnswer`."""


@dataclass(frozen=True, slots=True)
class Give:
    """Give this to whoever iterates."""

    value: Any


Step = Send | Wait | Alone
"""Steps of a call; those of a stream are these and the other three."""
Talk = Generator[Step, Any, T]
StreamTalk = Generator[Step | Open | Read | Give, Any, None]
