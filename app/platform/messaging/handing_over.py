"""Messages, handed over to whoever has their effect."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

HandleBodies = Callable[[Sequence[bytes]], Awaitable[None]]
"""Takes effect for all of the documents, exactly once for each event's id, or for none.

Raises ConnectionError while it cannot work. Of all else `is_the_messages` says whose fault it is.
"""


@dataclass(frozen=True, slots=True)
class OfTenants:
    """The same for whoever has to know whose each event is: by the header that the relay sets, where it does."""

    handle: Callable[[Sequence[tuple[bytes, UUID | None]]], Awaitable[None]]


Handle = HandleBodies | OfTenants


class Message(Protocol):
    """A message, however it came."""

    @property
    def body(self) -> bytes:
        """The event's document."""
        ...

    @property
    def tenant_id(self) -> UUID | None:
        """Whose it is, if its header says so."""
        ...


async def hand_over(handle: Handle, messages: Sequence[Message]) -> None:
    """Have the effect of the messages. Raises what the handler raises."""
    if isinstance(handle, OfTenants):
        await handle.handle([(message.body, message.tenant_id) for message in messages])
    else:
        await handle([message.body for message in messages])
