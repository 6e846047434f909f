"""Identifiers: UUIDs that the type checker does not let pass for one another."""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
EventId = NewType("EventId", UUID)
