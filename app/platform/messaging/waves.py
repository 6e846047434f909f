"""What may be published at once: never two events of one subject."""

from collections.abc import Sequence

from app.platform.messaging.ports import OutboxMessage


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
