"""Operations: what one context asks of another, each of which happens once, or never will."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, order=True)
class OperationId:
    """What identifies an operation: who asks, for which business of theirs, and which step of it."""

    context: str
    business_id: UUID
    name: str
