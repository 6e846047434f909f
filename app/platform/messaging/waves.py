"""What may be published at once: never two events of one subject."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from app.platform.messaging.ports import OutboxMessage, Outcome, Rejected, Unsent

ENOUGH_S: Final = 1.0
"""No wave begins later than this: a subject of which thousands wait takes several batches, each of which is marked."""


def waves(messages: Sequence[OutboxMessage]) -> list[list[OutboxMessage]]:
    """The messages in as few parts as have at most one message of a subject each, a subject's in their order."""
    parts: list[list[OutboxMessage]] = []
    seen: dict[object, int] = {}
    for message in messages:
        part = seen.get(message.subject, 0)
        seen[message.subject] = part + 1
        if part == len(parts):
            parts.append([])
        parts[part].append(message)
    return parts


async def publish_in_waves(
    messages: Sequence[OutboxMessage],
    publish: Callable[[Sequence[OutboxMessage]], Awaitable[Sequence[Outcome]]],
) -> list[Outcome]:
    """Publish wave by wave, each behind the last one's end; what became of each message, in the order of `messages`.

    Raises what `publish` does: then nothing is said of any of them.
    """
    loop = asyncio.get_running_loop()
    last_at = loop.time() + ENOUGH_S
    became: dict[int, Outcome] = {}
    failed: set[object] = set()
    for wave in waves(messages):
        ready = [message for message in wave if message.subject not in failed]
        if not ready:
            continue
        if became and loop.time() >= last_at:
            break
        for message, outcome in zip(ready, await publish(ready), strict=True):
            became[id(message)] = outcome
            if isinstance(outcome, Rejected):
                failed.add(message.subject)
    return [became.get(id(message), Unsent()) for message in messages]
