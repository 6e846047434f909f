"""How a part of the service does, and looking at all parts at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.kernel.errors import Unavailable

WITHIN_S = 2.0
"""How long a part may take to answer. All are asked at once."""
LOOK_S = 1.8
"""A look that says itself that it took too long ends before that."""
LATE_S = 10.0
"""What takes longer than this without trouble is in trouble."""


class State(StrEnum):
    """Whether a part does its work."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """A part's state, what was seen of it, and, when something is wrong, what to do."""

    state: State
    seen: str
    hint: str | None = None
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part, how to look at it, and what to do when that fails."""

    name: str
    look: Callable[[], Awaitable[Health]]
    hint: str


def unset(setting: str) -> Health:
    """Of a part that nobody says where it is."""
    return Health(State.DEGRADED, "not looked at", f"{setting} is not set")


async def look_at(parts: Sequence[Part], within_s: float) -> Mapping[str, Health]:
    """The health of every part, all looked at side by side. One that does not answer `within_s` is down."""
    looks = [asyncio.ensure_future(part.look()) for part in parts]
    await asyncio.wait(looks, timeout=within_s)
    healths = {}
    for part, look in zip(parts, looks, strict=True):
        if not look.done():
            look.cancel()
            healths[part.name] = Health(State.DOWN, f"no answer within {within_s:g} s", part.hint)
            continue
        match look.exception():
            case None:
                healths[part.name] = look.result()
            case Unavailable() as error:
                healths[part.name] = Health(State.DOWN, str(error), part.hint)
            case error:
                healths[part.name] = Health(State.DOWN, f"cannot be looked at: {type(error).__name__}", part.hint)
    return healths
